"""Runs a program as `python` would: what it does before, between and after, from the same places.

Each `prepare_...` does what `python` does before it runs such a program (Modules/main.c, Python/pythonrun.c), and
answers what runs it.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import marshal
import os
import sys
from collections.abc import Callable
from importlib._bootstrap_external import MAGIC_NUMBER  # of importlib.util, which is more to load and to free
from importlib.machinery import BuiltinImporter, PathFinder, SourceFileLoader, SourcelessFileLoader
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import Any

import icegil._compat as _compat

# When a file has failed, `python` goes back to the `__main__` that it ran the file in, of which it has given its
# reference back (pythonrun.c, _PyRun_SimpleFileObject). Nothing else may hold it once the program has its own.
_FIRST_MAIN = sys.modules["__main__"]

Runner = Callable[[], None]
Prepare = Callable[[str, list[str]], Runner]


def prepare_file(path: str, arguments: list[str]) -> Runner:
    sys.argv[:] = [path, *arguments]
    absolute = os.path.join(_current_directory() or "", path)  # not normalized: `python` does not either
    if _can_import_from(absolute):
        return _prepare_package(absolute)
    source = _read(absolute)
    _put_path(os.path.dirname(os.path.realpath(path)))
    is_compiled = path.endswith(".pyc") or source[:2] == MAGIC_NUMBER[:2]
    loader = (SourcelessFileLoader if is_compiled else SourceFileLoader)("__main__", absolute)
    namespace = _new_main(file=absolute, loader=loader)

    def run() -> None:
        exec(_unmarshal(source) if is_compiled else compile(source, absolute, "exec", dont_inherit=True), namespace)

    return lambda: _as_python_does(run, namespace)


def _can_import_from(path: str) -> bool:
    """Whether `path` is one that Python finds modules in: a directory, a zip file."""
    PathFinder.find_spec("__main__", [path])
    return sys.path_importer_cache.get(path) is not None


def _prepare_package(path: str) -> Runner:
    """For a directory or zip file with a `__main__.py`."""
    import runpy

    sys.path.insert(0, path)  # however safe the path is to be
    _new_main()
    return lambda: _as_python_does(lambda: runpy._run_module_as_main("__main__", False))  # type: ignore[attr-defined]


def prepare_stdin(path: str, arguments: list[str]) -> Runner:
    sys.argv[:] = [path, *arguments]
    _put_path("")
    namespace = _new_main(file="<stdin>")
    source = b"" if sys.stdin is None else sys.stdin.buffer.read()
    return lambda: _as_python_does(
        lambda: exec(compile(source, "<stdin>", "exec", dont_inherit=True), namespace), namespace
    )


def prepare_module(name: str, arguments: list[str]) -> Runner:
    import runpy

    sys.argv[:] = ["-m", *arguments]
    _put_path(_current_directory())
    _new_main()
    # What `python -m` itself runs: its messages, and its frames in tracebacks, are the same.
    return lambda: _as_python_does(lambda: runpy._run_module_as_main(name))  # type: ignore[attr-defined]


def prepare_code(source: str, arguments: list[str]) -> Runner:
    sys.argv[:] = ["-c", *arguments]
    _put_path("")
    namespace = _new_main()
    source = _compat.given_code(source)

    def run() -> None:
        code = compile(source, "<string>", "exec", dont_inherit=True)
        _compat.show_lines_of(code, source)
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
    if compiled[:4] != MAGIC_NUMBER:
        raise RuntimeError("Bad magic number in .pyc file")
    try:
        code = marshal.loads(compiled[16:])
    except (EOFError, ValueError, TypeError):
        code = None
    if not isinstance(code, CodeType):
        raise RuntimeError("Bad code object in .pyc file")
    return code


def _is_path_safe() -> bool:
    # By `-P` or `-I`; Python 3.10 has the second only.
    return bool(getattr(sys.flags, "safe_path", sys.flags.isolated))


def take_own_path_away() -> None:
    """Takes away what Python put at the beginning of `sys.path` to find icegil."""
    is_module = sys.modules["__main__"].__spec__ is not None
    if not _is_path_safe() and not (is_module and _current_directory() is None):
        del sys.path[0]


def _put_path(first: str | None) -> None:
    if not _is_path_safe() and first is not None:
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
        if _compat.FORGETS_FILE_FIRST:
            forget_file()
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
