"""`icegil run` behaves as `python` does: however a program is named, whatever it looks at, however it ends."""

import ast
import math
import os
import py_compile
import shutil
import signal
import sys
import textwrap
import zipapp
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import icegil
from icegil.commands.torture.endings import Ending, run

ROOT = str(Path(icegil.__file__).parents[1])
PYTHONPATH = os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH")]))
WITHIN = 60  # seconds

MODULE = ["-m", "icegil"]
CONSOLE = ["../bin/icegil"]
ENTRIES = (MODULE, CONSOLE)
"""The two ways to start icegil, as seen from a neighbour of the console script's directory."""

STARTS: tuple[list[str], list[str]] = ([], [*MODULE, "run"])
"""What comes before a program's name to run it plain, and guarded."""

CONSOLE_SCRIPT = f"""\
import sys
sys.path.append({ROOT!r})
from icegil.commands.cli import main
sys.path.pop()
if __name__ == "__main__":
    sys.exit(main())
"""

FACTS = '''\
"""Tells all that a program can see of how it was started."""
import inspect, json, os, pickle, signal, sys, threading
class Thing:
    pass
def function():
    return 42
def source():
    try:
        return inspect.getsource(function)
    except (OSError, TypeError) as error:
        return repr(error)
number: int = 1
is_class = isinstance(__loader__, type)
print(json.dumps({
    "argv": sys.argv,
    "path": sys.path,
    "flags": str(sys.flags),
    "cwd": os.getcwd(),
    "names": list(globals()),
    "values": {name: repr(globals().get(name, "missing")) for name in (
        "__name__", "__doc__", "__package__", "__file__", "__cached__", "__annotations__")},
    "loader": __loader__.__name__ if is_class else (type(__loader__).__name__, __loader__.name, __loader__.path)
        if hasattr(__loader__, "path") else type(__loader__).__name__,
    "spec": __spec__ and (__spec__.name, __spec__.parent, __spec__.origin, __spec__.has_location, __spec__.cached),
    "builtins": repr(__builtins__),
    "is in sys.modules": vars(sys.modules["__main__"]) is globals(),
    "type": type(sys.modules["__main__"]).__name__,
    "pickled": repr(pickle.dumps(Thing)),
    "unpickled": type(pickle.loads(pickle.dumps(Thing()))) is Thing,
    "filename": function.__code__.co_filename,
    "source": source(),
    "hook": sys.excepthook is sys.__excepthook__,
    "signal": repr(signal.getsignal(signal.SIGINT)),
    "threads": [thread.name for thread in threading.enumerate()],
    "recursion": sys.getrecursionlimit(),
    "stdin": sys.stdin.read(),
}, indent=0))
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the same program in every form that `python` runs."""
    place = tmp_path_factory.mktemp("place")
    (place / "bin").mkdir()
    (place / "bin" / "icegil").write_text(CONSOLE_SCRIPT)
    (place / "elsewhere").mkdir()
    home = place / "project"
    for package in ("below", "directory", "package"):
        (home / package).mkdir(parents=True)
    for name in ("script.py", "-dash.py", "no_suffix", "below/script.py", "directory/__main__.py"):
        (home / name).write_text(FACTS)
    for name in ("package/__main__.py", "package/module.py"):
        (home / name).write_text(FACTS + "from . import sibling\n")
    (home / "package" / "__init__.py").touch()
    (home / "package" / "sibling.py").write_text("print(__name__)\n")
    (home / "link.py").symlink_to("below/script.py")
    (home / "empty").mkdir()
    zipapp.create_archive(home / "directory", home / "archive.zip")
    py_compile.compile(str(home / "script.py"), str(home / "compiled.pyc"))
    shutil.copy(home / "compiled.pyc", home / "compiled")
    return home


@dataclass(frozen=True)
class Way:
    """A way to name a program on a command line."""

    name: str
    words: tuple[str, ...]
    stdin: str = os.devnull
    cwd: str = "."
    """Both seen from the project."""


WAYS = [
    Way("script", ("script.py",)),
    Way("script with arguments", ("script.py", "a", "--drain-timeout", "3", "-m", "x", "--", "-c", "", "-h", "ä b")),
    Way("script without a suffix", ("no_suffix",)),
    Way("script by a relative path", ("./below/../below//script.py",)),
    Way("script in another directory", ("../project/below/script.py", "a"), cwd="../elsewhere"),
    Way("script by a symbolic link", ("link.py",)),
    Way("script after --", ("--", "-dash.py", "--")),
    Way("script that reads stdin", ("script.py",), stdin="package/sibling.py"),
    Way("script from a device", ("/dev/stdin",), stdin="script.py"),
    Way("directory", ("directory", "-m")),
    Way("directory with a slash", ("./directory/",)),
    Way("zip file", ("archive.zip", "a")),
    Way("compiled file", ("compiled.pyc", "a")),
    Way("compiled file without its suffix", ("./compiled",)),
    Way("module", ("-m", "package.module", "a", "-m", "--", "-x")),
    Way("module joined", ("-mpackage.module", "--drain-timeout=3")),
    Way("package", ("-m", "package", "a")),
    Way("code", ("-c", FACTS, "a", "-c", "--drain-timeout")),
    Way("code joined", ("-c" + FACTS, "--", "a")),
    Way("stdin", ("-", "a", "-"), stdin="script.py"),
    Way("stdin after --", ("--", "-"), stdin="script.py"),
]


def ending(command: list[str], cwd: Path, *, stdin: str = os.devnull, merged: bool = False) -> Ending:
    """How a command ends; `merged`: with stderr in stdout, in the order in which they were written."""
    shell = 'cd "$1" && stdin=$2 && shift 2 && exec "$@" <"$stdin"' + (" 2>&1" if merged else "")
    return run(["sh", "-c", shell, "sh", str(cwd), stdin, *command], WITHIN, {"PYTHONPATH": PYTHONPATH})


def check_same(
    words: list[str] | tuple[str, ...],
    cwd: Path,
    *,
    flags: tuple[str, ...] = (),
    stdin: str = os.devnull,
    merged: bool = False,
    entries: tuple[list[str], ...] = ENTRIES,
) -> Ending:
    """Fails unless `icegil run` ends as `python` does, to the byte. Returns that ending."""
    python = [sys.executable, *flags]
    commands = [[*python, *words], *([*python, *entry, "run", *words] for entry in entries)]
    with ThreadPoolExecutor(2) as pool:
        plain, *guarded = pool.map(lambda command: ending(command, cwd, stdin=stdin, merged=merged), commands)
    assert not plain.hung
    for each in guarded:
        assert each == replace(plain, seconds=each.seconds)
    return plain


# --- What a program sees of its start -------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_program_sees_what_it_sees_under_python(way: Way, project: Path) -> None:
    plain = check_same(way.words, project / way.cwd, stdin=str(project / way.stdin))
    assert plain.status == 0
    assert '"is in sys.modules": true' in plain.stdout


SINCE_3_11 = pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no -P")


@pytest.mark.parametrize("flag", [pytest.param("-P", marks=SINCE_3_11), "-I"])
@pytest.mark.parametrize("way", ["script", "directory", "module", "code", "stdin"])
def test_a_safe_path_is_as_safe(flag: str, way: str, project: Path) -> None:
    # -I ignores PYTHONPATH as well, so only the console script finds icegil.
    entries = (CONSOLE,) if flag == "-I" else (MODULE,)
    (found,) = (each for each in WAYS if each.name == way)
    plain = check_same(found.words, project, flags=(flag,), stdin=str(project / found.stdin), entries=entries)
    # Without the current directory on sys.path there is no such package.
    assert plain.status == (1 if way == "module" else 0)


@pytest.mark.parametrize("flags", [("-W", "error"), ("-X", "dev"), ("-O",), ("-bb", "-u")], ids=" ".join)
def test_options_of_python_have_their_effect_and_no_other(flags: tuple[str, ...], project: Path) -> None:
    (project / "asserting.py").write_text("import sys\nassert not sys.argv[1:]\nprint(sys.flags, sys.warnoptions)\n")
    check_same(["script.py"], project, flags=flags, entries=(MODULE,))
    check_same(["-m", "asserting", "a"], project, flags=flags, entries=(MODULE,))


@pytest.mark.parametrize("words", [["-"], ["-c", "import sys; print(sys.stdin)"]], ids=["stdin", "code"])
def test_stdin_may_be_closed(words: list[str], project: Path) -> None:
    plain, guarded = (
        ending(["sh", "-c", 'exec "$@" <&-', "sh", sys.executable, *start, *words], project) for start in STARTS
    )
    assert guarded == replace(plain, seconds=guarded.seconds)
    assert plain.status == 0


@pytest.mark.parametrize("way", ["script", "missing script", "module", "code", "stdin", "directory"])
def test_the_current_directory_may_be_gone(way: str, project: Path) -> None:
    words = {
        "script": [str(project / "script.py")],
        "missing script": ["script.py"],
        "module": ["-m", "package"],
        "code": ["-c", "import sys; print(sys.path)"],
        "stdin": ["-"],
        "directory": [str(project / "directory")],
    }[way]
    shell = 'cd "$(mktemp -d)" && rmdir "$PWD" && exec "$@"'
    starts = [[], [*MODULE, "run"], [str(project / CONSOLE[0]), "run"]]
    plain, *guarded = (ending(["sh", "-c", shell, "sh", sys.executable, *start, *words], project) for start in starts)
    for each in guarded:
        assert each == replace(plain, seconds=each.seconds)


def test_a_script_is_read_once_so_it_may_come_through_a_pipe(project: Path) -> None:
    shell = """echo 'import sys; print(sys.argv, __file__, sys.stdin.read()); 1 / 0' | "$@" /dev/stdin a"""
    plain, guarded = (ending(["sh", "-c", shell, "sh", sys.executable, *start], project) for start in STARTS)
    assert guarded == replace(plain, seconds=guarded.seconds)
    assert plain.stdout == "['/dev/stdin', 'a'] /dev/stdin \n"


@pytest.mark.parametrize("words", [("spawn.py",), ("-m", "spawn")], ids=["script", "module"])
def test_multiprocessing_finds_the_functions_of_main(words: tuple[str, ...], project: Path) -> None:
    (project / "spawn.py").write_text(
        "import multiprocessing, sys\n"
        "def double(number):\n"
        "    return 2 * number, __name__, sys.argv\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.map(double, [21]))\n"
    )
    assert "(42, '__mp_main__'" in check_same(words, project).stdout


ENCODED = {
    "a coding cookie": "# coding: latin-1\nprint(ascii('é'))\n1 / 0  # é\n".encode("latin-1"),
    "a byte order mark": b"\xef\xbb\xbfprint(ascii('\xc3\xa9'))\n1 / 0\n",
    "nothing": b"",
    "carriage returns": b"print(1)\r\n1 / 0\r\n",
    "no newline at its end": b"print(1)\n1 / 0",
    "a form feed": b"print(1)\n\x0c\n1 / 0\n",
    "a first line for the shell": b"#!/usr/bin/env python\nprint(1)\n",
    "a future import": b"from __future__ import annotations\nx: y = 1\nprint(__annotations__)\n",
}


@pytest.mark.parametrize("content", ENCODED.values(), ids=ENCODED.keys())
def test_a_script_may_hold(content: bytes, project: Path) -> None:
    (project / "encoded.py").write_bytes(content)
    check_same(["encoded.py"], project, entries=(MODULE,))
    check_same(["-"], project, stdin="encoded.py", entries=(MODULE,))


# --- How a program ends ---------------------------------------------------------------------------------------------

FAILURES = {
    "nested calls": """\
        def outer(number):
            return inner(
                number + 1,
            ) * 2
        def inner(number):
            return sorted([number, 2], key=lambda each: each / 0)
        print("out")
        outer(1)
        """,
    "a cause": """\
        def fail():
            try:
                {}["key"]
            except KeyError as error:
                raise ValueError("text") from error
        try:
            fail()
        except ValueError:
            raise OSError(2, "No")
        """,
    "a group": """\
        def fail(kind):
            try:
                raise kind("text")
            except Exception as error:
                error.add_note("a note")
                return error
        raise ExceptionGroup("two", [fail(ValueError), ExceptionGroup("one", [fail(TypeError)])])
        """,
    "no traceback of its own": "raise ValueError('text').with_traceback(None)",
    "a traceback of elsewhere": """\
        import threading
        caught = []
        def catch():
            try:
                1 / 0
            except ZeroDivisionError as error:
                caught.append(error)
        thread = threading.Thread(target=catch)
        thread.start()
        thread.join()
        raise caught[0]
        """,
    "an error without a text": """\
        class Mute(Exception):
            def __str__(self):
                raise ValueError
        raise Mute
        """,
    "no Exception": """\
        class Other(BaseException):
            pass
        raise Other("text")
        """,
    "syntax": "print('out')\nif True:\n    x = = 1\n",
    "indentation": "if True:\nprint(1)\n",
    "unclosed": "print('out')\n(1,\n",
    "syntax elsewhere": "print('out')\nexec('def f(:')",
    "no such import": "import no_such_module_anywhere",
    "interrupted": """\
        def wait():
            raise KeyboardInterrupt
        print("out")
        wait()
        """,
    "asyncio": """\
        import asyncio
        async def main():
            await asyncio.gather(asyncio.sleep(0), fail())
        async def fail():
            1 / 0
        asyncio.run(main())
        """,
    "own hook": """\
        import os, sys, traceback
        def hook(kind, error, trace):
            assert error.__traceback__ is trace is sys.last_traceback
            assert sys.exc_info() == (None, None, None)
            assert sys.excepthook is hook
            os.write(2, b"hook\\n")
            print(globals().get("__file__"), "__cached__" in globals())
            traceback.print_exception(kind, error, trace)
        sys.excepthook = hook
        print("out")
        1 / 0
        """,
    "a hook that raises": """\
        import sys
        def hook(*_):
            raise ValueError("hook")
        sys.excepthook = hook
        print("out")
        1 / 0
        """,
    "a hook that exits": """\
        import sys
        sys.excepthook = lambda *_: sys.exit(7)
        1 / 0
        """,
    "no hook": """\
        import sys
        del sys.excepthook
        1 / 0
        """,
    "None as hook": """\
        import sys
        sys.excepthook = None
        1 / 0
        """,
    "a closed stdout": """\
        import sys
        print("out")
        sys.stdout.close()
        1 / 0
        """,
    "no stdout": """\
        import sys
        print("out")
        sys.stdout = None
        1 / 0
        """,
    "a warning": """\
        import warnings
        def warn():
            warnings.warn("text", stacklevel=2)
        warn()
        warnings.warn("text", DeprecationWarning)
        """,
    "a thread": """\
        import threading
        def fail():
            1 / 0
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        """,
    "a handler at exit": """\
        import atexit, sys
        class Handler:
            def __repr__(self):
                return "handler"
            def __call__(self):
                print(sys.last_type, sys.last_traceback.tb_lineno, sys.excepthook is sys.__excepthook__)
                print(globals().get("__file__"), globals().get("__cached__"))
                1 / 0
        atexit.register(Handler())
        1 / 0
        """,
    "a handler at a good exit": """\
        import atexit, os, sys
        atexit.register(lambda: print(globals().get("__file__"), "__cached__" in globals(), hasattr(sys, "last_type")))
        atexit.register(os.write, 1, b"at exit\\n")
        print("out")
        """,
    "a handler at a chosen exit": """\
        import atexit, sys
        atexit.register(lambda: print(globals().get("__file__"), "__cached__" in globals(), hasattr(sys, "last_type")))
        sys.exit("text")
        """,
    "a handler at a chosen exit with a number": """\
        import atexit
        atexit.register(lambda: print(globals().get("__file__"), "__cached__" in globals()))
        class Chosen(SystemExit):
            @property
            def code(self):
                print(globals().get("__file__"), "__cached__" in globals())
                return 3
        raise Chosen
        """,
    "objects of the module": """\
        class Thing:
            def __init__(self, name):
                self.name = name
            def __del__(self, print=print):
                print(self.name, __name__)
        one, _two, three = map(Thing, "123")
        three.cycle = three
        """,
}


OF_EVERY_WAY = [
    "nested calls",
    "a cause",
    "a group",
    "syntax",
    "no such import",
    "interrupted",
    "own hook",
    "a hook that raises",
    "a warning",
    "a handler at a good exit",
]
"""Those in which the way that a program was named shows."""


def written(name: str, project: Path) -> str:
    """The text of one of `FAILURES`, which `failure.py` holds from now on as well."""
    text = textwrap.dedent(FAILURES[name])
    (project / "failure.py").write_text(text)
    return text


@pytest.mark.parametrize("name", FAILURES)
def test_what_a_script_leaves_behind_is_the_same_to_the_byte(name: str, project: Path) -> None:
    written(name, project)
    check_same(["./failure.py"], project, merged=True, entries=ENTRIES if name in OF_EVERY_WAY else (MODULE,))


def test_what_python_looks_into_after_a_syntax_error_is_still_there(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The `__main__` that it began with, to which it has given its reference back: in freed memory it finds garbage.
    written("syntax", project)
    monkeypatch.setenv("PYTHONMALLOC", "debug")
    check_same(["failure.py"], project)


@pytest.mark.parametrize("way", ["module", "code", "stdin"])
@pytest.mark.parametrize("name", OF_EVERY_WAY)
def test_what_any_program_leaves_behind_is_the_same_to_the_byte(name: str, way: str, project: Path) -> None:
    text = written(name, project)
    words = {"module": ["-m", "failure"], "code": ["-c", text], "stdin": ["-"]}[way]
    # Not the console script: it is a file itself, and after a file Python flushes stdout before it writes to stderr.
    check_same(words, project, stdin="failure.py", merged=True, entries=(MODULE,))


@pytest.mark.parametrize("way", ["script", "module", "code", "stdin"])
def test_an_interrupted_program_dies_of_it(way: str, project: Path) -> None:
    text = written("interrupted", project)
    words = {"script": ["failure.py"], "module": ["-m", "failure"], "code": ["-c", text], "stdin": ["-"]}[way]
    assert check_same(words, project, stdin="failure.py", entries=(CONSOLE,)).status == -signal.SIGINT


STATUSES = {
    "sys.exit()": 0,
    "sys.exit(3)": 3,
    "sys.exit('text')": 1,
    "sys.exit(None)": 0,
    "sys.exit(256 + 7)": 7,
    "sys.exit(-1)": 255,
    "sys.exit((1, 2))": 1,
    "sys.exit(True)": 1,
    "exit(5)": 5,
    "os._exit(4)": 4,
    "os.kill(os.getpid(), 15)": -15,
    "1 / 0": 1,
}


@pytest.mark.parametrize("statement", STATUSES)
def test_the_exit_status_is_the_program_s(statement: str, project: Path) -> None:
    (project / "exiting.py").write_text(f"import os, sys\nprint('out', flush=True)\n{statement}\n")
    plain = check_same(["exiting.py"], project, entries=(MODULE,))
    assert plain.status == STATUSES[statement]
    assert plain.stdout == "out\n"


@pytest.mark.parametrize("ending_of_program", ["1 / 0", "sys.exit(3)", "x = 1"])
def test_python_i_goes_on_in_the_program_s_namespace(ending_of_program: str, project: Path) -> None:
    (project / "inspected.py").write_text(f"import sys\nvalue = 42\n{ending_of_program}\n")
    (project / "typed.txt").write_text("print(value, __name__, sys.last_type if hasattr(sys, 'last_type') else None)\n")
    plain = check_same(["inspected.py"], project, flags=("-i",), stdin="typed.txt", entries=(MODULE,))
    assert plain.stdout.startswith("42 __main__")


# --- Programs that are not there ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["missing.py"], 2, "can't open file"),
        (["./below/../missing"], 2, "can't open file"),
        (["script.py/x"], 2, "Not a directory"),
        (["loop.py"], 2, "symbolic links"),
        (["unreadable.py"], 2, "Permission denied"),
        (["empty"], 1, "can't find '__main__' module"),
        (["./empty/"], 1, "can't find '__main__' module"),
        (["empty.zip"], 1, "can't find '__main__' module"),
        (["stale.pyc"], 1, "Bad magic number"),
        (["cut.pyc"], 1, "Bad code object"),
        (["-m", "missing"], 1, "No module named missing"),
        (["-m", "package.missing"], 1, "No module named package.missing"),
        (["-m", "missing.module"], 1, "No module named 'missing'"),
        (["-m", "script.py"], 1, "Try using 'script' instead"),
        (["-m", "below"], 1, "is a package and cannot be directly executed"),
        (["-m", "sys"], 1, "No code object available"),
        (["-m", ""], 1, "No module named"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_program_that_is_not_there_is_missed_in_python_s_words(
    words: list[str], status: int, message: str, project: Path
) -> None:
    (project / "below" / "__init__.py").touch()
    zipapp.create_archive(project / "empty", project / "empty.zip", main="x:y")
    with zipfile.ZipFile(project / "empty.zip", "w"):
        pass
    (project / "stale.pyc").write_bytes(b"stale" * 10)
    (project / "cut.pyc").write_bytes((project / "compiled.pyc").read_bytes()[:100])
    if not (project / "loop.py").is_symlink():
        (project / "loop.py").symlink_to("loop.py")
    unreadable = project / "unreadable.py"
    unreadable.write_text("print(1)\n")
    unreadable.chmod(0)
    if words == [unreadable.name] and os.access(unreadable, os.R_OK):
        pytest.skip("this user may read everything")
    plain = check_same(words, project, entries=(MODULE,))
    assert plain.status == status
    assert message in plain.stderr


# --- What cannot be the same ----------------------------------------------------------------------------------------


def test_below_the_program_s_frames_stand_icegil_s(project: Path) -> None:
    # A running program cannot take the frames away that called it. They show to whoever walks the stack to its end, in
    # how deep a recursion may go, and as the place of a warning whose stacklevel points below the program.
    (project / "deep.py").write_text(
        "import sys, traceback, warnings\n"
        "def depth(number=0):\n"
        "    try:\n"
        "        return depth(number + 1)\n"
        "    except RecursionError:\n"
        "        return number\n"
        "print(depth())\n"
        "print([frame.name for frame in traceback.extract_stack()])\n"
        "warnings.warn('text', stacklevel=2)\n"
    )
    plain, guarded = (ending([sys.executable, *start, "deep.py"], project) for start in STARTS)
    assert plain.status == guarded.status == 0
    (plain_depth, plain_stack), (depth, stack) = (
        map(ast.literal_eval, each.stdout.splitlines()) for each in (plain, guarded)
    )
    assert plain_stack == stack[-1:] == ["<module>"]
    assert 0 < plain_depth - depth < 20
    assert "sys" in plain.stderr
    assert f"{Path(icegil.__file__).parent / 'commands' / 'program.py'}:" in guarded.stderr


def test_a_script_that_is_no_text_is_a_syntax_error(project: Path) -> None:
    # Python's parser words this in another way when it reads a file itself. A running program cannot have it do so: it
    # can only hand over what it has read.
    (project / "no_text.py").write_bytes(b"print(1)\nx = '\xe9'\n")
    plain, guarded = (ending([sys.executable, *start, "no_text.py"], project) for start in STARTS)
    assert (guarded.status, guarded.stdout) == (plain.status, plain.stdout) == (1, "")
    for each in (plain, guarded):
        assert each.stderr.splitlines()[-1].startswith("SyntaxError: ")
        assert "icegil" not in each.stderr


def test_python_s_own_command_line_stays_in_orig_argv(project: Path) -> None:
    # `sys.orig_argv` tells how the process was started. A program that starts itself anew by it stays guarded.
    code = "import sys; print(sys.orig_argv[1:])"
    assert ending([sys.executable, *MODULE, "run", "-c", code], project).stdout == f"{[*MODULE, 'run', '-c', code]}\n"


# --- The command line -----------------------------------------------------------------------------------------------


def icegil_ends(*words: str, **environment: str) -> Ending:
    """How the command `icegil` ends."""
    return run([sys.executable, *MODULE, *words], WITHIN, {"PYTHONPATH": PYTHONPATH, **environment})


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["run"], "a script, -m module, -c code, a command or - is needed"),
        (["run", "--"], "a script, -m module, -c code, a command or - is needed"),
        (["run", "--drain-timeout", "3"], "a script, -m module, -c code, a command or - is needed"),
        (["run", "-m"], "argument expected for -m"),
        (["run", "-c"], "argument expected for -c"),
        (["run", "-u", "script.py"], "unrecognized arguments: -u"),
        (["run", "--unknown", "script.py"], "unrecognized arguments: --unknown"),
        (["run", "--drain", "3", "script.py"], "unrecognized arguments: --drain"),
        (["run", "--drain-timeout"], "expected one argument"),
        (["run", "--drain-timeout", "soon", "script.py"], "'soon' is no number of seconds"),
        (["run", "--drain-timeout", "-1", "script.py"], "'-1' is no number of seconds"),
        (["run", "--drain-timeout=nan", "script.py"], "'nan' is no number of seconds"),
        (["run", "--drain-timeout", "", "script.py"], "'' is no number of seconds"),
        (["walk"], "invalid choice: 'walk'"),
        (["--unknown", "run", "script.py"], "unrecognized arguments: --unknown"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_use_is_told_apart_and_runs_nothing(words: list[str], complaint: str) -> None:
    ended = icegil_ends(*words)
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.stderr.startswith("usage: icegil ")
    assert complaint in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize("variable", ["ICEGIL_DRAIN_TIMEOUT", "ICEGIL_MODE"])
def test_a_wrong_setting_in_the_environment_is_told_by_its_name(variable: str) -> None:
    ended = icegil_ends("run", "-c", "print(1)", **{variable: "wrong"})
    assert (ended.status, ended.stdout) == (2, "")
    assert f"error: {variable} must be" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize("words", [["-h"], ["--help"]])
def test_icegil_shows_its_commands(words: list[str]) -> None:
    ended = icegil_ends(*words)
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.startswith("usage: icegil ")
    assert "run a program guarded" in ended.stdout


def test_icegil_alone_shows_its_commands_as_an_error() -> None:
    ended = icegil_ends()
    assert (ended.status, ended.stdout, ended.stderr) == (2, "", icegil_ends("--help").stdout)


@pytest.mark.parametrize("words", [["-h"], ["--drain-timeout", "3", "--help", "script.py"]])
def test_icegil_run_shows_how_it_is_used(words: list[str]) -> None:
    ended = icegil_ends("run", *words)
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.startswith(
        "usage: icegil run [--drain-timeout S] [--without PARTS] [--trace FILE] [--report] [--no-children] "
        "(script.py | -m module | -c code | command | -) [argument ...]\n"
    )
    assert "--drain-timeout S" in ended.stdout.split("options:")[1]


@pytest.mark.parametrize(
    ("words", "environment", "seconds"),
    [
        ([], {}, 5.0),
        ([], {"ICEGIL_DRAIN_TIMEOUT": "7"}, 7.0),
        (["--drain-timeout", "2.5"], {"ICEGIL_DRAIN_TIMEOUT": "7"}, 2.5),
        (["--drain-timeout=0"], {}, 0.0),
        (["--drain-timeout", "inf"], {}, math.inf),
    ],
)
def test_the_program_runs_with_the_settings_of_the_command_line(
    words: list[str], environment: dict[str, str], seconds: float
) -> None:
    code = "import icegil; print(icegil.status().drain_timeout, icegil.status().mode != 'off')"
    ended = icegil_ends("run", *words, "-c", code, **environment)
    assert (ended.status, ended.stdout, ended.stderr) == (0, f"{seconds} True\n", "")


def test_an_error_of_the_system_as_ice_is_imported_is_shown_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "Ice.py").write_text("raise OSError(5, 'the disk is broken')\n")
    ended = ending([sys.executable, *MODULE, "run", "-c", "print(1)"], tmp_path)
    assert (ended.status, ended.stdout) == (1, "")
    assert "Ice.py" in ended.stderr
    assert "OSError: [Errno 5] the disk is broken" in ended.stderr


def test_without_ice_there_is_one_line_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "Ice.py").write_text("raise ImportError('no Ice here')\n")
    ended = ending([sys.executable, *MODULE, "run", "-c", "print(1)"], tmp_path)
    assert (ended.status, ended.stdout, ended.stderr) == (
        1,
        "",
        "icegil: zeroc-ice cannot be imported: no Ice here. Install it: pip install zeroc-ice\n",
    )


def test_the_ice_that_is_guarded_is_the_one_that_the_program_would_import(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "Ice.py").write_text("raise ImportError('the current directory is not on the path of a script')\n")
    (tmp_path / "home" / "Ice.py").write_text("raise ImportError('the script has an Ice of its own')\n")
    (tmp_path / "home" / "script.py").touch()
    ended = ending([sys.executable, *MODULE, "run", "home/script.py"], tmp_path)
    assert "the script has an Ice of its own" in ended.stderr
