"""The `icegil` command: runs any program guarded, as `python` would run it."""

import argparse
import builtins
import io
import os
import pkgutil
import runpy
import sys
from collections.abc import Callable
from importlib.machinery import BuiltinImporter, SourceFileLoader, SourcelessFileLoader
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import NoReturn

from icegil import guard
from icegil.errors import GuardUnavailable, UnsupportedIce
from icegil.torture import arguments as torture


def main(arguments: list[str] | None = None) -> None:
    """The entry point of the `icegil` command and of `python -m icegil`."""
    parser = argparse.ArgumentParser(
        prog="icegil", description="Ice for Python that survives interpreter shutdown.", allow_abbrev=False
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_run(commands)
    torture.add(commands)
    _add_doctor(commands)
    chosen = parser.parse_args(arguments)
    chosen.command(chosen)


def _add_doctor(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    doctor = commands.add_parser(
        "doctor",
        help="say what is installed, what is guarded, what is not and why",
        description="Says what is installed, what is guarded, what is not and why, and tries it on a small program.",
        epilog="Exit status: 0 if the guard is on and the program ended well, else 1.",
        allow_abbrev=False,
    )
    doctor.add_argument("--json", action="store_true", help="say it in JSON")
    doctor.set_defaults(command=_doctor)


def _doctor(chosen: argparse.Namespace) -> None:
    from icegil.doctor import doctor

    doctor(chosen.json)


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = commands.add_parser(
        "run",
        help="run a program guarded",
        description="Runs a program as `python` would, unchanged, with icegil installed from the start.",
        usage="icegil run [--drain-timeout S] [--report] (script.py | -m module | -c code) [argument ...]",
        allow_abbrev=False,
    )
    run.add_argument(
        "--drain-timeout", metavar="S", type=float, help="longest time in seconds that the shutdown may take (5)"
    )
    run.add_argument("--report", action="store_true", help="say on stderr at the end what the shutdown found and did")
    run.add_argument("-m", dest="module", nargs=argparse.REMAINDER, help="run a module, with its arguments")
    run.add_argument("-c", dest="code", nargs=argparse.REMAINDER, help="run this code, with its arguments")
    run.add_argument("program", nargs=argparse.REMAINDER, help="run a script, a directory or a zip file")
    run.set_defaults(command=lambda chosen: _run(run, chosen))


def _run(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> None:
    given = [words for words in (chosen.module, chosen.code, chosen.program) if words]
    if len(given) != 1:
        parser.error("one of a script, -m module or -c code is needed")
    if chosen.report:
        from icegil import report

        report.at_exit()
    try:
        guard.install(drain_timeout=chosen.drain_timeout)
    except (ValueError, GuardUnavailable) as error:
        parser.error(str(error))
    except UnsupportedIce as error:
        sys.exit(f"icegil: {error}")
    except ImportError as error:
        sys.exit(f"icegil: zeroc-ice cannot be imported: {error}. Install it: pip install zeroc-ice")
    first, *rest = given[0]
    if chosen.module:
        _run_module(first, rest)
    elif chosen.code:
        _run_code(first, rest)
    else:
        _run_script(first, rest)


def _run_script(path: str, arguments: list[str]) -> None:
    sys.argv[:] = [path, *arguments]
    if pkgutil.get_importer(path) is not None:  # a directory or a zip file with a __main__.py
        _set_path(path)
        _new_main()
        _as_python_does(lambda: runpy._run_module_as_main("__main__", False))  # type: ignore[attr-defined]
        return
    absolute = os.path.abspath(path)
    if not path.endswith(".pyc"):
        _check_readable(absolute)
    _set_path(os.path.dirname(os.path.realpath(path)))
    loader = (SourcelessFileLoader if path.endswith(".pyc") else SourceFileLoader)("__main__", absolute)
    main_module = _new_main(__file__=absolute, __cached__=None, __loader__=loader)

    def code() -> CodeType:
        if isinstance(loader, SourcelessFileLoader):
            compiled = loader.get_code("__main__")
            assert compiled is not None
            return compiled
        with io.open_code(absolute) as file:
            return compile(file.read(), absolute, "exec", dont_inherit=True)

    _as_python_does(lambda: exec(code(), vars(main_module)))


def _check_readable(path: str) -> None:
    """Ends the process as `python` does if there is no such script."""
    try:
        io.open_code(path).close()
    except OSError as error:
        _exit(f"can't open file {path!r}: [Errno {error.errno}] {error.strerror}", 2)
    if os.path.isdir(path):
        _exit(f"can't find '__main__' module in {path!r}", 1)


def _run_module(name: str, arguments: list[str]) -> None:
    sys.argv[:] = ["-m", *arguments]
    _set_path(os.getcwd())
    _new_main()
    # What `python -m` itself runs: its messages, and its frames in tracebacks, are the same.
    _as_python_does(lambda: runpy._run_module_as_main(name))  # type: ignore[attr-defined]


def _run_code(code: str, arguments: list[str]) -> None:
    sys.argv[:] = ["-c", *arguments]
    _set_path("")
    main_module = _new_main(__loader__=BuiltinImporter)
    _as_python_does(lambda: exec(compile(code, "<string>", "exec", dont_inherit=True), vars(main_module)))


def _set_path(first: str) -> None:
    if not sys.flags.safe_path:
        sys.path[0] = first


def _new_main(**attributes: object) -> ModuleType:
    module = ModuleType("__main__")
    vars(module).update(__builtins__=builtins, __annotations__={}, **attributes)
    sys.modules["__main__"] = module
    return module


def _as_python_does(run: Callable[[], object]) -> None:
    """Runs the program. What it raises goes on to Python's own top level, without icegil's frames in its traceback."""
    try:
        run()
    except SystemExit:
        raise
    except BaseException:
        _hide_frames_down_to(sys._getframe())
        raise


def _hide_frames_down_to(frame: FrameType) -> None:
    """Has the traceback begin below `frame`'s callee, when Python's top level hands it to `sys.excepthook`."""
    program_hook = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        while trace is not None and trace.tb_frame is not frame:
            trace = trace.tb_next
        for _ in range(2):  # this frame, and the lambda that it calls
            trace = trace.tb_next if trace is not None else None
        sys.excepthook = program_hook
        error.__traceback__ = sys.last_traceback = trace
        program_hook(kind, error, trace)

    sys.excepthook = hook


def _exit(message: str, status: int) -> NoReturn:
    print(f"{sys.executable}: {message}", file=sys.stderr)
    sys.exit(status)
