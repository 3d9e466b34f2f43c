"""The small headers without Python in the loop, plain and sanitized."""

from pathlib import Path

import pytest
from sanitizers import SANITIZERS, compile_with, launcher_for, run

NATIVE = Path(__file__).parent / "native"


@pytest.mark.parametrize("sanitizer", SANITIZERS)
@pytest.mark.parametrize("header", ["deadline", "places", "trace", "trace_file", "trace_at_exit"])
def test_a_header_keeps_its_promises(header: str, sanitizer: str, tmp_path: Path) -> None:
    launcher = launcher_for(sanitizer, tmp_path)
    done = run(*launcher, str(compile_with(sanitizer, NATIVE / f"test_{header}.cpp", tmp_path)))
    assert (done.returncode, done.stderr) == (0, ""), f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
