"""What differs between the versions of Ice and of Python, in one place."""

from __future__ import annotations

import atexit
import collections
import functools
import gc
import importlib
import os
import sys
import threading
import warnings
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any

from icegil.errors import UnsupportedIce

OLDEST: dict[tuple[int, ...], tuple[int, ...]] = {(3, 6): (3, 6, 5), (3, 7): (3, 7, 8)}
"""The oldest patch that is known, of each version that is not known whole."""

# Python's own `pthread_exit` of threads that want the GIL too late; from 3.14 on it parks them (ceval_gil.c, take_gil).
ENDS_LATE_THREADS = sys.version_info < (3, 14)

# Whether `python` forgets a file that it ran before it looks at what the file raised (pythonrun.c, pyrun_simple_file).
# Before 3.14 it prints that first, and a SystemExit is the end there and then.
FORGETS_FILE_FIRST = sys.version_info >= (3, 14)


def import_ice() -> Any:
    """The installed Ice module.

    Raises
    ------
    UnsupportedIce
        It is older than icegil knows, or does not look like Ice for Python.
    """
    if (startup := sys.modules.get("icegil_startup")) is not None:
        startup.stop()  # what waits for this import would install icegil: that is being done
    Ice = _imported_ice()

    version = Ice.stringVersion()
    numbers = tuple(int(part) if part.isdigit() else 0 for part in version.split(".")[:3])
    if numbers < OLDEST.get(numbers[:2], min(OLDEST.values())):
        oldest = " or ".join(".".join(map(str, patch)) for patch in OLDEST.values())
        raise UnsupportedIce(
            f"zeroc-ice {version} is installed; icegil needs {oldest}, or later: pip install -U zeroc-ice"
        )
    if not hasattr(sys.modules.get("IcePy"), "Communicator"):
        raise UnsupportedIce(f"zeroc-ice {version} at {Ice.__file__} has no IcePy.Communicator: not a build known here")
    return Ice


def _imported_ice() -> Any:
    # Ice 3.6 imports `imp`, which Python has until 3.11 and warns of. `icegil run` imports Ice for every program: one
    # that does not must not hear of it, nor fail where warnings are errors.
    if sys.version_info < (3, 12) and "Ice" not in sys.modules:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "the imp module is deprecated", DeprecationWarning, r"Ice\Z")
            return importlib.import_module("Ice")
    return importlib.import_module("Ice")  # not at the top: importing icegil alone must not import Ice


def communicator_class(ice: ModuleType) -> type[Any]:
    """The class of communicators: `Ice.Communicator`, on 3.7 `Ice.CommunicatorI` (`Ice.Communicator` is its base)."""
    cls: type[Any] = getattr(ice, "CommunicatorI", ice.Communicator)
    return cls


def makes_communicators_first(ice: ModuleType) -> bool:
    """Whether `Ice.initialize` has made a communicator before its class is called: on 3.7."""
    return hasattr(ice, "CommunicatorI")


def object_adapter_class(ice: ModuleType) -> type[Any]:
    """The class of object adapters: `Ice.ObjectAdapter`, on 3.7 `Ice.ObjectAdapterI` (the other is its base)."""
    cls: type[Any] = getattr(ice, "ObjectAdapterI", ice.ObjectAdapter)
    return cls


def is_destroyed(communicator: Any) -> bool:
    """Whether a communicator was destroyed already. Ice has no call for it, but refuses to make a proxy then."""
    try:
        communicator.stringToProxy("icegil")
    except sys.modules["Ice"].CommunicatorDestroyedException:
        return True
    return False


def has_futures(ice: ModuleType) -> bool:
    """Whether Ice answers asynchronous calls with futures; 3.6 does by `begin_` and `end_`, and callbacks."""
    return hasattr(ice, "Future")


def wrap_future_homes() -> list[ModuleType]:
    """The modules whose global `wrap_future` is the one that their code, or the program's, calls."""
    names = ("Ice", "Ice.Future", "Ice.asyncio.EventLoopAdapter", "Ice.Py3.IceFuture", "IceFuture")
    modules = [sys.modules.get(name) for name in names]
    return [module for module in modules if isinstance(module, ModuleType) and hasattr(module, "wrap_future")]


def knows_event_loops(ice: Any) -> bool:
    """Whether communicators can be bound to an event loop; on 3.7 they cannot."""
    return hasattr(ice, "asyncio")


def event_loop_adapter_class() -> type[Any] | None:
    """Ice's own adapter for asyncio; None on 3.7, which has none."""
    module = sys.modules.get("Ice.asyncio.EventLoopAdapter")
    return getattr(module, "EventLoopAdapter", None)


def dispatch_function() -> tuple[ModuleType | None, Any]:
    """Where IcePy 3.8 finds what calls a servant's method, and that function; None if a tool has put its own there."""
    module = importlib.import_module("Ice.Dispatch")  # IcePy would, for the first dispatch
    installed = module.dispatch
    is_of_ice = getattr(installed, "__globals__", None) is vars(module)
    return module if is_of_ice else None, installed


def asynchronous_methods() -> list[Any]:
    """The methods of IcePy that make asynchronous calls: of a Slice file's operations, of proxies. None: it has not."""
    icepy = sys.modules["IcePy"]
    of_proxies = ("ice_invokeAsync", "ice_isAAsync", "ice_pingAsync", "ice_idsAsync", "ice_idAsync")  # 3.8: the first
    return [vars(icepy.Operation)["invokeAsync"], *(vars(icepy.ObjectPrx).get(name) for name in of_proxies)]


def looks_future_up_in_ice(ice: Any) -> bool:
    """Whether Ice's own classes find `Future` where it is replaced: on 3.7, which defines them in `Ice`."""
    return ice.InvocationFuture.__init__.__globals__ is vars(ice)


def habits_of_futures(ice: Any) -> dict[str, Any]:
    """In what the installed futures differ from those of Ice 3.8.3, by their code: it changed between patches."""
    future, invocation = ice.Future, ice.InvocationFuture
    in_sent = [names for each in invocation.sent.__code__.co_consts if (names := getattr(each, "co_names", None))]
    return {
        "is_of_3_7": hasattr(invocation, "operation"),
        "late_callbacks_may_raise": "_callCallbacks" not in future.add_done_callback.__code__.co_names,
        "zero_is_for_ever": "monotonic" not in future._wait.__code__.co_names,
        "sent_waits_for_sent_alone": all("_state" not in names for names in in_sent),
        # `Exception` in `Ice/__init__.py` of Ice 3.7 is Ice's own.
        "caught_of_sent_callbacks": invocation.set_sent.__globals__.get("Exception", Exception),
    }


def asynchronous_destroy(impl: Any) -> Callable[[Callable[[], None]], object] | None:
    """IcePy's destruction of a communicator on a thread of Ice, which calls what it is given; None before 3.8."""
    destroy: Callable[[Callable[[], None]], object] | None = getattr(impl, "destroyAsync", None)
    return destroy


def destruction(impl: Any) -> Callable[[], object]:
    """IcePy's destruction of a communicator on the calling thread.

    IcePy 3.6 forgets the communicator's Python object with it, and a call that another thread has just begun follows
    the null pointer (Communicator.cpp, getCommunicatorWrapper); later ones find None there. So it is None here too,
    before anybody else gets the GIL: from `deque` to `_setWrapper` all is C.
    """
    if has_futures(sys.modules["Ice"]):
        destroy: Callable[[], object] = impl.destroy
        return destroy
    steps = functools.partial(impl.destroy), functools.partial(impl._setWrapper, None)
    return functools.partial(collections.deque, map(functools.partial.__call__, steps), 0)


def can_be_destroyed_at_end(impl: Any) -> bool:
    """Whether there is a thread for it then: one of Ice's own, or of Python's, which from 3.12 on starts none."""
    return sys.version_info < (3, 12) or asynchronous_destroy(impl) is not None


def after_fork_in_child(function: Callable[[], object]) -> None:
    """Has `function()` called in forked children, where there are any."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=function)


def take_over_clean_up() -> None:
    """Has IcePy 3.7 not clean up among the handlers at exit, where others may still use it: see `clean_up_icepy`."""
    if (clean_up := getattr(sys.modules["IcePy"], "cleanup", None)) is not None:
        atexit.unregister(clean_up)


def give_clean_up_back() -> None:
    """Undoes `take_over_clean_up`."""
    if (clean_up := getattr(sys.modules["IcePy"], "cleanup", None)) is not None:
        atexit.register(clean_up)


def clean_up_icepy() -> None:
    """What IcePy 3.7 has Python call at exit; later ones have nothing of the kind."""
    if (clean_up := getattr(sys.modules["IcePy"], "cleanup", None)) is not None:
        clean_up()


def leave_garbage_to_finalization() -> None:
    """Has Python begin no garbage collection but those of its finalization, from here on.

    On 3.12 one can begin inside another: `_Py_RunGC` does not ask. Where a `__del__` or a callback runs Python code in
    one that comes right after much was allocated, the second takes the lists apart which the first walks through.
    """
    if sys.version_info[:2] == (3, 12):
        gc.set_threshold(0)


def do_not_join_main_thread() -> None:
    """Has Python's shutdown, begun on another thread, not wait for the main one, which may never end.

    From 3.13 on it does not. Before, `threading._shutdown` joins the main thread like all that are no daemons.
    """
    if sys.version_info < (3, 13):
        with threading._shutdown_locks_lock:  # type: ignore[attr-defined]
            threading._shutdown_locks.discard(threading.main_thread()._tstate_lock)  # type: ignore[attr-defined]


@functools.cache
def at_shutdown(callback: Callable[[], object]) -> None:
    """Has `callback()` called as Python begins its shutdown, before it joins threads; `atexit` is after that. Once."""
    threading._register_atexit(callback)  # type: ignore[attr-defined]


def known_thread() -> threading.Thread | None:
    """The calling thread's object, if it has one: `threading.current_thread()` would make one for a native thread."""
    thread: threading.Thread | None = threading._active.get(threading.get_ident())  # type: ignore[attr-defined]
    return thread


def forget_thread() -> None:
    """Takes the calling thread, a native one, out of `threading.enumerate()`. From 3.13 on it goes by itself."""
    if sys.version_info < (3, 13):
        with threading._active_limbo_lock:  # type: ignore[attr-defined]
            threading._active.pop(threading.get_ident(), None)  # type: ignore[attr-defined]


def forget_parents_threads() -> None:
    """In a forked child: has the objects of the parent's native threads go now, not when `threading` itself is gone.

    Since 3.13 such an object goes with what its thread has in a `threading.local`, which the boundary keeps in a child.
    """
    if sys.version_info >= (3, 13) and not isinstance(known_thread(), threading._DummyThread):
        threading._thread_local_info = threading.local()  # type: ignore[attr-defined]


def given_code(source: str) -> str:
    """What Python makes of the text that `-c` gives it: since 3.14 it may be indented."""
    if sys.version_info < (3, 14):
        return source
    from textwrap import dedent

    return dedent(source)


def show_lines_of(code: CodeType, source: str) -> None:
    """Has tracebacks show the lines of a program that `-c` gave, which they do since 3.13."""
    if sys.version_info >= (3, 13):
        import linecache

        by_code = hasattr(linecache, "_interactive_cache")  # since 3.14 they are filed by it
        linecache._register_code(code if by_code else "<string>", source, "<string>")  # type: ignore[attr-defined]
