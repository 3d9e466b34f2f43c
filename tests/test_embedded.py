"""A program in C that has Python in it: Python is finalized, the host goes on, and ends as it wants to."""

import re
import shutil
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

import pytest
from children import PYTHONPATH

from icegil.commands.torture.endings import Ending, run

HOST = Path(__file__).parent / "native" / "host.c"
RUNS = 3
WITHIN = 20  # seconds


def _library_flags() -> list[str]:
    """How to link with this very interpreter, shared or not."""
    of = sysconfig.get_config_var
    folders = [of("LIBDIR") or "", of("LIBPL") or "", f"/usr/lib/{of('MULTIARCH')}"]
    for name in (of("LDLIBRARY"), of("INSTSONAME"), of("LIBRARY")):
        for folder in folders:
            library = Path(folder, name or "-")
            if library.is_file():
                rest = [*(of("LIBS") or "").split(), *(of("SYSLIBS") or "").split(), "-ldl", "-lm", "-pthread"]
                return [str(library), "-Wl,--export-dynamic", f"-Wl,-rpath,{library.parent}", *rest]
    pytest.skip(f"no library of CPython {sys.version.split()[0]} to embed in {', '.join(filter(None, folders))}")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host program."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    include = Path(sysconfig.get_path("include"))
    include = include if (include / "Python.h").exists() else Path(sys.base_prefix, "include", include.name)
    if not (include / "Python.h").exists():
        pytest.skip(f"no Python.h in {include}")
    made = tmp_path_factory.mktemp("host") / "host"
    command = ["gcc", "-O1", f"-I{include}", str(HOST), "-o", str(made), *_library_flags()]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return made


def ending(host: Path, tmp_path: Path, program: str, times: int = 1, **environment: str) -> Ending:
    """How the host ends that runs this program."""
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(program))
    words = [str(host), sys.executable, str(times), str(script)]
    return run(words, WITHIN, {"PYTHONPATH": PYTHONPATH, **environment})


def check(ended: Ending, stdout: str, stderr: str = "") -> None:
    assert not ended.hung, ended.stderr
    assert (ended.status, ended.stdout) == (42, stdout + "the host goes on\nhandler of the host\n"), ended
    assert re.fullmatch(stderr, ended.stderr, re.DOTALL), ended.stderr


CLEAN = """
    import atexit

    @atexit.register
    def say_goodbye():
        proxy.ice_ping()
        print("goodbye", flush=True)

    from icegil import Ice
    from _echo import communicator, serve, storm

    ice = communicator()
    proxy = serve(ice)
    for future in storm(proxy):
        future.result()
    pending = storm(proxy)
    """

STUCK = """
    import threading
    from icegil import Ice
    from _echo import Echo, communicator, serve

    entered = threading.Event()

    class Stuck(Echo):
        def ice_invoke(self, arguments, current):
            entered.set()
            threading.Event().wait()

    ice = communicator()
    serve(ice, Stuck()).ice_oneway().ice_invoke("stick", Ice.OperationMode.Normal, b"")
    entered.wait()
    """


def test_the_host_goes_on_after_a_clean_shutdown(host: Path, tmp_path: Path) -> None:
    for _ in range(RUNS):
        check(ending(host, tmp_path, CLEAN), "goodbye\nPython is gone\n")


def test_the_host_goes_on_and_its_handlers_run_when_a_servant_is_stuck(host: Path, tmp_path: Path) -> None:
    for _ in range(RUNS):
        ended = ending(host, tmp_path, STUCK, ICEGIL_DRAIN_TIMEOUT="0.5")
        check(ended, "Python is gone\n", "not everything ended within 0.5 s of shutdown.*")


def test_the_host_goes_on_when_the_program_has_destroyed_all(host: Path, tmp_path: Path) -> None:
    program = """
        from icegil import Ice
        from _echo import communicator, serve
        with communicator() as ice:
            serve(ice).ice_ping()
        """
    for _ in range(RUNS):
        check(ending(host, tmp_path, program), "Python is gone\n")


AGAIN = (
    r"WARN: Could not find the platform standard library directory! sys\.exec_prefix is set to [^\n]+\n"
    if sys.version_info >= (3, 15) and sys.prefix != sys.base_prefix
    else ""
)
"""What CPython 3.15 says when it begins for the second time in a process, with a virtual environment's program."""


def test_plain_python_can_be_embedded_here(host: Path, tmp_path: Path) -> None:
    ended = ending(host, tmp_path, "print('hello', flush=True)", times=2)
    check(ended, "hello\nPython is gone\n" * 2, AGAIN)
