"""Putting icegil in place around the installed Ice, taking it away again, and saying what is in place."""

from __future__ import annotations

import functools
import gc
import importlib
import os
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import icegil._bridge as _bridge
import icegil._compat as _compat
import icegil.adapters as adapters
import icegil.aio as aio
import icegil.dispatches as dispatches
import icegil.exits as exits
import icegil.futures as futures
import icegil.lifecycle as lifecycle
import icegil.redirects as redirects
import icegil.settings as settings
import icegil.shutdown as shutdown
import icegil.threads as threads
import icegil.versions as versions
from icegil.errand import log
from icegil.errors import GuardUnavailable
from icegil.settings import Setting

if TYPE_CHECKING:
    from icegil.views import Snapshot, Status


class _Patch:
    def __init__(self, owner: Any, name: str, replacement: Any) -> None:
        self.owner = owner
        self.name = name
        self.replacement = replacement
        self.original: Any = None
        self.was_there = False

    def put(self) -> None:
        self.was_there = self.name in vars(self.owner)
        self.original = vars(self.owner).get(self.name)
        setattr(self.owner, self.name, self.replacement)

    def take_away(self) -> None:
        if self.was_there:
            setattr(self.owner, self.name, self.original)
        else:
            delattr(self.owner, self.name)


class _Installation:
    def __init__(self, mode: Setting[str], drain_timeout: Setting[float]) -> None:
        self.mode = mode
        self.drain_timeout = drain_timeout
        self.ice: ModuleType = _compat.import_ice()
        self.reason = self._guard()
        importlib.import_module(
            "icegil.views"
        )  # a signal handler may ask, which could not finish an import begun below it
        self.patches = _patches(self.ice)
        if not self.reason:
            self.patches += [_Patch(cls, name, method) for cls, name, method in futures.rebound(self.ice)]
            self.patches += [_Patch(self.ice, name, cls) for name, cls in futures.classes(self.ice).items()]
            futures.own()
        for patch in self.patches:
            patch.put()
        if sys.flags.dev_mode:
            _bridge.keep_time()
        _compat.take_over_clean_up()
        shutdown.plan(lambda: self.drain_timeout.value, not self.reason)

    def _guard(self) -> str:
        """Puts the guard in place if the mode has it; why it is not."""
        if self.mode.value == "teardown":
            return "the mode 'teardown' was asked for"
        if hasattr(self.ice, "OperationNotExistException"):
            # Of all that IcePy takes from a servant: Ice prints no warning about it, and does not call again for it.
            _bridge.set_in_place_of_exits(self.ice.OperationNotExistException())
        try:
            redirects.put()
        except GuardUnavailable as error:
            if self.mode.value == "guard":
                raise
            log.warning("no guard: %s; communicators are still destroyed at exit", error)
            return str(error)
        _bridge.set_thread_hooks(threads.name_thread, _compat.forget_thread)
        _bridge.set_exit_hook(exits.finish_in_callback)
        return ""

    def remove(self) -> None:
        shutdown.cancel(self.drain_timeout.value)
        _compat.give_clean_up_back()
        if not self.reason:
            futures.disown()
        redirects.take_away()
        for patch in reversed(self.patches):
            patch.take_away()


_lock = threading.RLock()
_installation: _Installation | None = None


def install(mode: str | None = None, drain_timeout: float | None = None) -> ModuleType:
    """Puts icegil in place around the installed Ice; one call at the start of a program is all it needs.

    May be called again: what is given then replaces what was set. Communicators that live already are taken in.
    To be called from the main thread. Handlers at exit may use Ice, whenever they are registered.

    Parameters
    ----------
    mode : str | None
        `"teardown"`: communicators are destroyed before Python finalizes, and `destroyAsync` is made safe.
        `"guard"`: every crossing between Ice's threads and Python is guarded too.
        `"auto"`: the guard where it is possible. None: the environment's `ICEGIL_MODE`, else `"auto"`.
    drain_timeout : float | None
        Longest time in seconds that the shutdown waits, once every handler at exit has run.
        None: the environment's `ICEGIL_DRAIN_TIMEOUT`, else 5.

    Returns
    -------
    module
        The genuine `Ice` module.

    Raises
    ------
    TypeError, ValueError
        An argument, or the environment variable in its place, is not one of the above.
    GuardUnavailable
        `mode` is `"guard"`, which is not possible here.
    UnsupportedIce
        The installed zeroc-ice is not one that icegil knows.
    ImportError
        zeroc-ice is not installed.
    OSError
        The environment's `ICEGIL_TRACE` names a file that cannot be written.
    """
    global _installation
    with _lock:
        chosen = settings.mode(mode)
        timeline = settings.trace()
        timeout = settings.drain_timeout(drain_timeout)
        if _installation is not None and mode not in (None, _installation.mode.value):
            timeout = timeout if drain_timeout is not None else _installation.drain_timeout
            uninstall()
        if _installation is None:
            had_ice = "Ice" in sys.modules
            _installation = _Installation(chosen, timeout)
            if had_ice:
                _take_in(_installation.ice)
            if timeline:
                import icegil.trace as trace

                trace.start(timeline)
        elif drain_timeout is not None:
            _installation.drain_timeout = timeout
        return _installation.ice


def uninstall() -> None:
    """Takes icegil away again: the program goes on with plain Ice. Without effect if it was not installed."""
    global _installation
    with _lock:
        if _installation is not None:
            _installation.remove()
            _installation = None


def status() -> Status:
    """What icegil has in place, and the gate's counters. Callable from any thread at any time."""
    from icegil.views import GilGivenAway, Status, calls, gate_status  # not at the top: most programs never ask

    installation = _installation
    return Status(
        mode="off" if installation is None else "teardown" if installation.reason else "guard",
        reason="" if installation is None else installation.reason,
        python=".".join(map(str, sys.version_info[:3])),
        ice=versions.ice(),
        drain_timeout=settings.DRAIN_TIMEOUT if installation is None else installation.drain_timeout.value,
        redirected=redirects.in_place(),
        gate=gate_status(),
        gil_given_away=GilGivenAway(**_bridge.gil_given_away()),
        calls=calls(),
    )


def snapshot() -> Snapshot:
    """The communicators, the callbacks inside and the gate at this moment.

    Callable at any moment from any thread, also from an `atexit` handler and from a signal handler. Where icegil is not
    installed there is little to see: no communicators.

    Returns
    -------
    Snapshot
        Frozen values; nothing of them keeps a communicator or a frame alive.
    """
    import icegil.views as views

    return views.snapshot()


def settings_in_use() -> dict[str, Setting[Any]]:
    """What the guard was told, and by whom; empty if nothing is installed. Callable from any thread."""
    installation = _installation
    return {} if installation is None else {"mode": installation.mode, "drain_timeout": installation.drain_timeout}


def is_finalizing() -> bool:
    """Whether the shutdown has begun: the gate is not open, or Python finalizes. Callable from any thread."""
    return _bridge.is_finalizing()


def get_include() -> str:
    """The directory of icegil's C++ headers, for `#include <icegil/gate.hpp>` in other extensions."""
    package = os.path.dirname(os.path.abspath(__file__))
    inside = os.path.join(package, "include")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "include")


def _patches(ice: ModuleType) -> list[_Patch]:
    communicator = _compat.communicator_class(ice)
    initialize, destroy = communicator.__init__, communicator.destroy

    @functools.wraps(initialize)
    def watched_initialize(self: Any, *args: Any, **kwargs: Any) -> None:
        with shutdown.making(self):
            initialize(self, *args, **kwargs)
            lifecycle.watch(self, is_new=True)

    @functools.wraps(destroy)
    def watched_destroy(self: Any) -> None:
        if lifecycle is None:  # Python has emptied this module, long after all of them were destroyed
            return
        lifecycle.watch(self).destroy_here(lambda: destroy(self))

    @functools.wraps(communicator.__exit__)
    def watched_exit(self: Any, *_: object) -> None:
        self.destroy()

    patches = [
        _Patch(communicator, "__init__", watched_initialize),
        _Patch(communicator, "destroy", watched_destroy),
        _Patch(communicator, "__exit__", watched_exit),
        _Patch(communicator, "destroyAsync", aio.destroyAsync),
    ]
    if _compat.makes_communicators_first(ice):
        patches.append(_Patch(ice, "initialize", _watched(ice.initialize)))
    if not hasattr(communicator, "__aexit__"):
        patches += [
            _Patch(communicator, "__aenter__", aio.enter),
            _Patch(communicator, "__aexit__", aio.leave),
        ]
    patches.append(_Patch(communicator, "shutdownCompleted", aio.shutdownCompleted))
    for name in ("createObjectAdapterWithEndpoints", "createObjectAdapterWithRouter"):
        patches.append(_Patch(communicator, name, adapters.unnamed.create_with(getattr(communicator, name))))
    object_adapter = _compat.object_adapter_class(ice)
    patches.append(_Patch(object_adapter, "destroy", adapters.unnamed.destroy_with(object_adapter.destroy)))
    for home in _compat.wrap_future_homes():
        patches.append(_Patch(home, "wrap_future", aio.safe_wrap_future(vars(home)["wrap_future"])))
    loop_adapter = _compat.event_loop_adapter_class()
    if loop_adapter is not None:
        patches.append(_Patch(loop_adapter, "wrapFuture", aio.wrap_on_loop))
    patches += [_Patch(owner, name, function) for owner, name, function in dispatches.replacements(ice)]
    return patches


def _watched(initialize: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(initialize)
    def watched(*args: Any, **kwargs: Any) -> Any:
        with shutdown.making(object()):
            return initialize(*args, **kwargs)

    return watched


def _take_in(ice: ModuleType) -> None:
    """Watches the communicators that were made before: nothing but the garbage collector knows them.

    It is asked for what refers to their class, not for all objects: while those are held, another thread's half-made
    tuple has two owners, PyTuple_SetItem refuses it (SystemError), and IcePy goes on with a null pointer.
    """
    communicator = _compat.communicator_class(ice)
    for thing in gc.get_referrers(communicator):
        if type(thing) is communicator and hasattr(thing, "_impl"):
            lifecycle.watch(thing)
