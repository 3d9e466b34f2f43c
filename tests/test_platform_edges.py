"""Where the platform has no room left for icegil it does without the guard, and says so; it never fails to import."""

import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest
from children import python

from icegil.commands.torture.endings import Ending

NATIVE = Path(__file__).parent / "native"

# A communicator that is left to the exit, and a forked child that has nothing to do with it.
PROGRAM = """
    import os, warnings
    import icegil
    from icegil import Ice
    from _echo import communicator, serve, storm

    warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 on, whoever forks with threads around
    ice = communicator()
    proxy = serve(ice)
    for future in storm(proxy, 100):
        future.result()
    if (child := os.fork()) == 0:
        sys_exit = __import__("sys").exit
        sys_exit(5)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    proxy.ice_ping()
    print(icegil.status().mode, icegil.status().reason)
    """


def ending(before: str = "", **environment: str) -> Ending:
    """How the program ends, with this before it."""
    return python("-c", textwrap.dedent(before) + textwrap.dedent(PROGRAM), **environment)


def check(ended: Ending, mode: str) -> None:
    """Fails unless the program ended well in this mode, with a reason if that is not the guard."""
    assert not ended.hung, ended.stderr
    assert ended.status == 0, ended
    child, found = ended.stdout.splitlines()
    assert (child, found.split()[0]) == ("5", mode), ended
    if mode == "guard":
        assert ended.stderr == "", ended
    else:
        assert found.partition(" ")[2], "no reason is given"
        assert "no guard" in ended.stderr, ended
        assert "Traceback" not in ended.stderr, ended


def library(source: str, folder: Path, *flags: str) -> Path:
    """A library made of a C file."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    made = folder / f"lib{Path(source).stem}.so"
    subprocess.run(["gcc", "-O1", "-fPIC", "-shared", *flags, NATIVE / source, "-o", made, "-ldl"], check=True)
    return made


def test_no_edge_is_no_edge() -> None:
    check(ending(), "guard")


# Ice needs a key itself, and takes it when it makes its first communicator and its first connection.
NO_KEYS_LEFT = """
    import ctypes
    import Ice
    from _echo import communicator, serve

    first = communicator()
    serve(first).ice_ping()
    first.destroy()
    libc, key = ctypes.CDLL(None), ctypes.c_uint()
    libc.pthread_getspecific.restype = ctypes.c_void_p
    while libc.pthread_key_create(ctypes.byref(key), None) == 0:
        pass
    """


def test_there_are_no_keys_for_threads_left() -> None:
    ended = ending(NO_KEYS_LEFT)
    assert not ended.hung, ended.stderr
    assert (ended.status, ended.stdout[:2]) == (0, "5\n"), ended
    check(ended, ended.stdout.split()[1])


def test_the_keys_of_others_are_left_alone() -> None:
    program = """
        def values():
            return [libc.pthread_getspecific(number) for number in range(1024)]

        before = values()
        import icegil
        icegil.install()
        print([number for number, value in enumerate(values()) if value != before[number]])
        """
    ended = python("-c", textwrap.dedent(NO_KEYS_LEFT) + textwrap.dedent(program))
    assert (ended.status, ended.stdout) == (0, "[]\n"), ended


def test_there_is_no_room_for_static_thread_local_storage(tmp_path: Path) -> None:
    # The loader has some room to spare, which libraries that came first have used up.
    folders = []
    for number, size in enumerate((4096, 1024, 256, 64, 64, 32, 16, 16, 8, 8)):
        folders.append(tmp_path / str(number))
        folders[-1].mkdir()
        library("big_tls.c", folders[-1], f"-DTLS_SIZE={size}")
    before = f"""
        import ctypes
        import Ice
        for folder in {list(map(str, folders))!r}:
            try:
                while True:
                    import shutil, tempfile, os
                    copy = os.path.join(tempfile.mkdtemp(dir=folder), "big.so")
                    shutil.copy(os.path.join(folder, "libbig_tls.so"), copy)
                    ctypes.CDLL(copy)
            except OSError as error:
                assert "static TLS" in str(error), error
        """
    check(ending(before), "guard")


def test_no_handler_of_fork_can_be_registered(tmp_path: Path) -> None:
    check(ending(LD_PRELOAD=str(library("no_atfork.c", tmp_path))), "guard")
