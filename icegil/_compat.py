"""What differs between the versions of Ice and of Python, in one place."""

import functools
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

from icegil.errors import UnsupportedIce

OLDEST = (3, 7, 8)


def import_ice() -> Any:
    """The installed Ice module.

    Raises
    ------
    UnsupportedIce
        It is older than icegil knows, or does not look like Ice for Python.
    """
    import Ice  # not at the top: importing icegil alone must not import Ice

    version = Ice.stringVersion()
    numbers = tuple(int(part) if part.isdigit() else 0 for part in version.split(".")[:3])
    if numbers < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise UnsupportedIce(
            f"zeroc-ice {version} is installed; icegil needs {oldest} or later: pip install -U zeroc-ice"
        )
    if not hasattr(sys.modules.get("IcePy"), "Communicator"):
        raise UnsupportedIce(f"zeroc-ice {version} at {Ice.__file__} has no IcePy.Communicator: not a build known here")
    return Ice


def communicator_class(ice: ModuleType) -> type[Any]:
    """The class of communicators: `Ice.Communicator`, on 3.7 `Ice.CommunicatorI` (`Ice.Communicator` is its base)."""
    cls: type[Any] = getattr(ice, "CommunicatorI", ice.Communicator)
    return cls


def is_destroyed(communicator: Any) -> bool:
    """Whether a communicator was destroyed already. Ice has no call for it, but refuses to make a proxy then."""
    try:
        communicator.stringToProxy("icegil")
    except sys.modules["Ice"].CommunicatorDestroyedException:
        return True
    return False


def wrap_future_homes() -> list[ModuleType]:
    """The modules whose global `wrap_future` is the one that their code, or the program's, calls."""
    names = ("Ice", "Ice.Future", "Ice.asyncio.EventLoopAdapter", "Ice.Py3.IceFuture", "IceFuture")
    modules = [sys.modules.get(name) for name in names]
    return [module for module in modules if isinstance(module, ModuleType) and hasattr(module, "wrap_future")]


def event_loop_adapter_class() -> type[Any] | None:
    """Ice's own adapter for asyncio; None on 3.7, which has none."""
    module = sys.modules.get("Ice.asyncio.EventLoopAdapter")
    return getattr(module, "EventLoopAdapter", None)


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


def forget_thread() -> None:
    """Takes the calling thread, a native one, out of `threading.enumerate()`. From 3.13 on it goes by itself."""
    if sys.version_info < (3, 13):
        with threading._active_limbo_lock:  # type: ignore[attr-defined]
            threading._active.pop(threading.get_ident(), None)  # type: ignore[attr-defined]
