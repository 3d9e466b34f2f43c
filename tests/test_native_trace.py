"""The timeline's ring without Python in the loop, plain and sanitized."""

from pathlib import Path

import pytest
from sanitizers import SANITIZERS, compile_with, launcher_for, run

SOURCE = Path(__file__).parent / "native/test_trace.cpp"


@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_the_timeline_keeps_its_promise(sanitizer: str, tmp_path: Path) -> None:
    launcher = launcher_for(sanitizer, tmp_path)
    done = run(*launcher, str(compile_with(sanitizer, SOURCE, tmp_path)))
    assert (done.returncode, done.stderr) == (0, ""), f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
