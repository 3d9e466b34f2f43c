"""The `icegil` command: runs any program guarded, as `python` would run it."""

import argparse
import builtins
import contextlib
import importlib.util
import io
import linecache
import marshal
import math
import os
import pkgutil
import runpy
import sys
import textwrap
from collections.abc import Callable
from importlib.machinery import BuiltinImporter, SourceFileLoader, SourcelessFileLoader
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import Any

from icegil import guard
from icegil.errors import GuardUnavailable, UnsupportedIce
from icegil.timeline import arguments as timeline
from icegil.torture import arguments as torture


class _Parser(argparse.ArgumentParser):
    """A parser that does not look for the terminal's width before it is needed.

    As it takes an argument in, argparse makes a formatter, which loads `shutil` and all that this needs if it is not
    told a width: for programs that may never print a help text.
    """

    is_complete = False

    def _get_formatter(self) -> argparse.HelpFormatter:
        return super()._get_formatter() if self.is_complete else argparse.HelpFormatter(self.prog, width=80)


def main(arguments: list[str] | None = None) -> None:
    """The entry point of the `icegil` command and of `python -m icegil`."""
    words = sys.argv[1:] if arguments is None else arguments
    parser = _Parser(
        prog="icegil", description="Ice for Python that survives interpreter shutdown.", allow_abbrev=False
    )
    commands = parser.add_subparsers(prog="icegil", metavar="COMMAND", required=True)
    _add_run(commands)
    torture.add(commands)
    timeline.add(commands)
    _add_doctor(commands)
    _Parser.is_complete = True
    if not words:
        parser.print_help(sys.stderr)
        sys.exit(2)
    own, program = _divide(words)
    chosen, unknown = parser.parse_known_args(own, argparse.Namespace(program=program, parser=parser))
    if unknown:
        chosen.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    chosen.command(chosen)


def _add_doctor(commands: "argparse._SubParsersAction[Any]") -> None:
    doctor = commands.add_parser(
        "doctor",
        help="say what is installed, what is guarded, what is not and why",
        description="Says what is installed, what is guarded, what is not and why, and tries it on a small program.",
        epilog="Exit status: 0 if the guard is on and the program ended well, else 1.",
        allow_abbrev=False,
    )
    doctor.add_argument("--json", action="store_true", help="say it in JSON")
    doctor.set_defaults(parser=doctor, command=_doctor)


def _doctor(chosen: argparse.Namespace) -> None:
    from icegil.doctor import doctor

    doctor(chosen.json)


# --- icegil run: the command line -----------------------------------------------------------------------------------


def _add_run(commands: "argparse._SubParsersAction[Any]") -> None:
    run = commands.add_parser(
        "run",
        help="run a program guarded",
        description="Runs a program as `python` would, unchanged, with icegil installed from the start: a script, a "
        "directory or zip file with a __main__.py, a module, code, or what comes on stdin (-).",
        usage="icegil run [--drain-timeout S] [--trace FILE] [--report] "
        "(script.py | -m module | -c code | -) [argument ...]",
        epilog="What follows the program is its own. Python's options go first: python -X dev -m icegil run script.py",
        allow_abbrev=False,
    )
    run.add_argument(
        "--drain-timeout", metavar="S", type=_seconds, help="longest time in seconds that the shutdown may take (5)"
    )
    run.add_argument("--trace", metavar="FILE", help="write a timeline of the program to FILE, for `icegil timeline`")
    run.add_argument("--report", action="store_true", help="say on stderr at the end what the shutdown found and did")
    run.set_defaults(parser=run, command=_run)


_FOLLOWED_BY_A_VALUE = ("--drain-timeout", "--trace")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value) or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return value


def _divide(words: list[str]) -> tuple[list[str], list[str]]:
    """What is icegil's of a command line, and what belongs to the program, from the first word that names it.

    argparse does not draw that line everywhere: it splits `-mmodule --drain-timeout 3`, and takes a `--` away.
    """
    if words[0] != "run":
        return words, []
    at = 1
    while at < len(words) and words[at].startswith("-") and not words[at].startswith(("-m", "-c")):
        if words[at] in ("-", "--"):
            break
        at += 2 if words[at] in _FOLLOWED_BY_A_VALUE else 1
    return words[:at], words[at:]


def _run(chosen: argparse.Namespace) -> None:
    parser: argparse.ArgumentParser = chosen.parser
    prepare, program, arguments = _program(chosen.program, parser)
    _take_own_path_away()
    run = prepare(program, arguments)
    if chosen.report:
        from icegil import report

        report.at_exit()
    # Now that `sys.path` is the program's: the Ice that it would import is the one to guard.
    try:
        guard.install(drain_timeout=chosen.drain_timeout)
    except (ValueError, GuardUnavailable) as error:  # the environment's settings
        parser.error(str(error))
    except UnsupportedIce as error:
        sys.exit(f"icegil: {error}")
    except ImportError as error:
        sys.exit(f"icegil: zeroc-ice cannot be imported: {error}. Install it: pip install zeroc-ice")
    if chosen.trace is not None:
        from icegil import trace

        try:
            trace.start(chosen.trace)
        except OSError as error:
            parser.error(f"the timeline cannot be written to {chosen.trace}: {error.strerror}")
    run()


def _program(words: list[str], parser: argparse.ArgumentParser) -> tuple["_Prepare", str, list[str]]:
    """How the program is to be prepared, what it is, and its arguments."""
    option = words[0][:2] if words else ""
    if option in ("-m", "-c"):
        words = [words[0][2:], *words[1:]] if words[0][2:] else words[1:]
        if not words:
            parser.error(f"argument expected for {option}")
        return _prepare_module if option == "-m" else _prepare_code, words[0], words[1:]
    if option == "--":
        words = words[1:]
    if not words:
        parser.error("a script, -m module, -c code or - is needed")
    return _prepare_stdin if words[0] == "-" else _prepare_file, words[0], words[1:]


# --- icegil run: the program ----------------------------------------------------------------------------------------

# Each of these does what `python` does before it runs such a program (Modules/main.c, Python/pythonrun.c), and answers
# what runs it.

_Runner = Callable[[], None]
_Prepare = Callable[[str, list[str]], _Runner]


def _prepare_file(path: str, arguments: list[str]) -> _Runner:
    sys.argv[:] = [path, *arguments]
    absolute = os.path.join(_current_directory() or "", path)  # not normalized: `python` does not either
    if pkgutil.get_importer(absolute) is not None:
        return _prepare_package(absolute)
    source = _read(absolute)
    _put_path(os.path.dirname(os.path.realpath(path)))
    is_compiled = path.endswith(".pyc") or source[:2] == importlib.util.MAGIC_NUMBER[:2]
    loader = (SourcelessFileLoader if is_compiled else SourceFileLoader)("__main__", absolute)
    namespace = _new_main(file=absolute, loader=loader)

    def run() -> None:
        exec(_unmarshal(source) if is_compiled else compile(source, absolute, "exec", dont_inherit=True), namespace)

    return lambda: _as_python_does(run, namespace)


def _prepare_package(path: str) -> _Runner:
    """For a directory or zip file with a `__main__.py`."""
    sys.path.insert(0, path)  # however safe the path is to be
    _new_main()
    return lambda: _as_python_does(lambda: runpy._run_module_as_main("__main__", False))  # type: ignore[attr-defined]


def _prepare_stdin(path: str, arguments: list[str]) -> _Runner:
    sys.argv[:] = [path, *arguments]
    _put_path("")
    namespace = _new_main(file="<stdin>")
    source = b"" if sys.stdin is None else sys.stdin.buffer.read()
    return lambda: _as_python_does(
        lambda: exec(compile(source, "<stdin>", "exec", dont_inherit=True), namespace), namespace
    )


def _prepare_module(name: str, arguments: list[str]) -> _Runner:
    sys.argv[:] = ["-m", *arguments]
    _put_path(_current_directory())
    _new_main()
    # What `python -m` itself runs: its messages, and its frames in tracebacks, are the same.
    return lambda: _as_python_does(lambda: runpy._run_module_as_main(name))  # type: ignore[attr-defined]


def _prepare_code(source: str, arguments: list[str]) -> _Runner:
    sys.argv[:] = ["-c", *arguments]
    _put_path("")
    namespace = _new_main()
    if sys.version_info >= (3, 14):
        source = textwrap.dedent(source)

    def run() -> None:
        code = compile(source, "<string>", "exec", dont_inherit=True)
        if sys.version_info >= (3, 13):  # tracebacks show its lines; since 3.14 they are filed by the code object
            by_code = hasattr(linecache, "_interactive_cache")
            linecache._register_code(code if by_code else "<string>", source, "<string>")  # type: ignore[attr-defined]
        exec(code, namespace)

    return lambda: _as_python_does(run)


def _read(path: str) -> bytes:
    try:
        with io.open_code(path) as file:
            return file.read()
    except OSError as error:
        message = f"{sys.orig_argv[0]}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}"
        print(message, file=sys.stderr)
        sys.exit(2)


def _unmarshal(compiled: bytes) -> CodeType:
    if compiled[:4] != importlib.util.MAGIC_NUMBER:
        raise RuntimeError("Bad magic number in .pyc file")
    try:
        code = marshal.loads(compiled[16:])
    except (EOFError, ValueError, TypeError):
        code = None
    if not isinstance(code, CodeType):
        raise RuntimeError("Bad code object in .pyc file")
    return code


def _take_own_path_away() -> None:
    """Takes away what Python put at the beginning of `sys.path` to find icegil."""
    is_module = sys.modules["__main__"].__spec__ is not None
    if not sys.flags.safe_path and not (is_module and _current_directory() is None):
        del sys.path[0]


def _put_path(first: str | None) -> None:
    if not sys.flags.safe_path and first is not None:
        sys.path.insert(0, first)


def _current_directory() -> str | None:
    """None if it was deleted."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return None


def _new_main(*, file: str | None = None, loader: object = BuiltinImporter) -> dict[str, Any]:
    """Puts a new `__main__` in place; its namespace."""
    old = vars(sys.modules["__main__"])
    module = ModuleType("__main__")
    namespace = vars(module)
    namespace["__loader__"] = loader
    if "__annotations__" in old:  # not in every version of Python
        namespace["__annotations__"] = {}
    namespace["__builtins__"] = builtins
    if file is not None:
        namespace["__file__"] = file
        if "__cached__" in old:  # likewise
            namespace["__cached__"] = None
    sys.modules["__main__"] = module
    return namespace


def _as_python_does(run: Callable[[], object], file_namespace: dict[str, Any] | None = None) -> None:
    """Runs the program. What it raises goes on to Python's own top level, without icegil's frames in its traceback."""

    def forget_file() -> None:
        # `python` does so with a file that came to its end: what runs at exit does not find them.
        if file_namespace is not None:
            file_namespace.pop("__file__", None)
            file_namespace.pop("__cached__", None)

    try:
        run()
    except BaseException as error:
        if not isinstance(error, SystemExit) or sys.flags.inspect:
            _begin_traceback_above(sys._getframe(), forget_file)
        raise
    finally:
        if file_namespace is not None:
            _flush_streams()
    forget_file()


def _flush_streams() -> None:
    """What `python` does between the end of a file and its traceback, or the exit (Python/pythonrun.c, pyrun_file)."""
    for name in ("stderr", "stdout"):
        with contextlib.suppress(Exception):  # closed, taken away or replaced by anything: Python asks no questions
            getattr(sys, name).flush()


def _begin_traceback_above(frame: FrameType, afterwards: Callable[[], None]) -> None:
    """Has `sys.excepthook` get a traceback that begins with the program's first frame, above `frame`."""
    program_hook = getattr(sys, "excepthook", _no_hook)

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.excepthook = program_hook
        if program_hook is _no_hook:
            del sys.excepthook
        error.__traceback__ = sys.last_traceback = _above(frame, trace)
        _call_hook(program_hook, error)
        afterwards()

    sys.excepthook = hook


def _no_hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    print("sys.excepthook is missing", file=sys.stderr)
    sys.__excepthook__(kind, error, trace)


def _above(frame: FrameType, trace: TracebackType | None) -> TracebackType | None:
    """What is left of a traceback without `frame`, those below it, and icegil's own above it."""
    rest = trace
    while rest is not None and rest.tb_frame is not frame:
        rest = rest.tb_next
    if rest is None:  # another exception
        return trace
    while rest is not None and rest.tb_frame.f_code.co_filename == frame.f_code.co_filename:
        rest = rest.tb_next
    return rest


def _call_hook(hook: Callable[..., object], error: BaseException) -> None:
    """Calls the program's `sys.excepthook`. What that raises is shown here, as Python shows it but for this frame."""
    try:
        hook(type(error), error, error.__traceback__)
    except SystemExit:
        raise
    except BaseException as second:
        second.__traceback__ = second.__traceback__ and second.__traceback__.tb_next
        print("Error in sys.excepthook:", file=sys.stderr)
        sys.__excepthook__(type(second), second, second.__traceback__)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, error.__traceback__)
