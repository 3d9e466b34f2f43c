"""Threads of other libraries end as they do without icegil."""

import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from children import PYTHONPATH

from icegil.commands.torture.endings import run

NATIVE = Path(__file__).parent / "native"
RUNS = 5
WITHIN = 20  # seconds

# The thread must not be in the way of what it is not there for: Python begins to wait for it before it finalizes.
PROGRAM = """
    import ctypes, sys
    import Ice
    from _echo import communicator, serve, storm

    library = ctypes.CDLL({library!r})
    sys.setswitchinterval(1e-4)
    ice = communicator()
    proxy = serve(ice)
    for future in storm(proxy, 20):
        future.result()
    {destroy}
    assert library.begin_to_report() == 0
    sys.exit(3)
    """


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library with a thread of its own."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    made = tmp_path_factory.mktemp("library") / "liblatethread.so"
    command = ["g++", "-std=c++17", "-O1", "-fPIC", "-shared", "-pthread", NATIVE / "late_thread.cpp", "-o", made]
    subprocess.run(list(map(str, command)), check=True)
    return made


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Python itself leaves such a thread asleep since 3.14")
@pytest.mark.parametrize("destroy", ["ice.destroy()", "pass"], ids=["destroyed", "never destroyed"])
def test_a_thread_that_asks_for_the_gil_too_late_can_be_joined(library: Path, destroy: str) -> None:
    program = textwrap.dedent(PROGRAM).format(library=str(library), destroy=destroy)
    plain = textwrap.dedent(PROGRAM).format(library=str(library), destroy="ice.destroy()")
    guarded = program.replace("import Ice\n", "from icegil import Ice\n")
    for each in (plain, guarded):
        endings = [run([sys.executable, "-c", each], WITHIN, {"PYTHONPATH": PYTHONPATH}) for _ in range(RUNS)]
        assert not [ended for ended in endings if ended.hung], endings
        # A thread that asks once more when the runtime is gone crashes, with icegil as without: about one run in ten.
        ended_well = [ended for ended in endings if ended.status != -signal.SIGSEGV]
        assert {(ended.status, ended.stdout, ended.stderr) for ended in ended_well} == {(3, "", "")}, endings
