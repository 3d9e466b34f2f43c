"""Putting icegil in place around the installed Ice, taking it away again, and saying what is in place."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import threading
from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import icegil._bridge as _bridge
import icegil._compat as _compat
import icegil.boundary as boundary
import icegil.exits as exits
import icegil.futures as futures
import icegil.lifecycle as lifecycle
import icegil.patches as patches
import icegil.properties as properties
import icegil.redirects as redirects
import icegil.settings as settings
import icegil.shutdown as shutdown
import icegil.threads as threads
import icegil.versions as versions
from icegil.errand import log
from icegil.errors import GuardUnavailable
from icegil.patches import Patch
from icegil.settings import Setting

if TYPE_CHECKING:
    from icegil.views import Snapshot, Status


class _Installation:
    def __init__(self, mode: Setting[str], drain_timeout: Setting[float], without: Setting[tuple[str, ...]]) -> None:
        self.mode = mode
        self.without = without
        self.drain_timeout = drain_timeout
        self.ice: ModuleType = _compat.import_ice()
        self.reason = self._guard()
        importlib.import_module(
            "icegil.views"
        )  # a signal handler may ask, which could not finish an import begun below it
        self.patches = patches.of(self.ice, _follow)
        self.has_futures = not self.reason and "futures" not in without.value and _compat.has_futures(self.ice)
        self.owns_futures = self.has_futures and "ownership" not in without.value
        if self.has_futures:
            self.patches += [Patch(cls, name, method) for cls, name, method in futures.rebound(self.ice)]
            self.patches += [Patch(self.ice, name, cls) for name, cls in futures.classes(self.ice).items()]
        if self.owns_futures:
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
        if not boundary.IS_COMPILED:
            if self.mode.value == "guard":
                raise GuardUnavailable(boundary.why_not_compiled())
            return boundary.why_not_compiled()
        if hasattr(self.ice, "OperationNotExistException"):
            # Of all that IcePy takes from a servant: Ice prints no warning about it, and does not call again for it.
            _bridge.set_in_place_of_exits(self.ice.OperationNotExistException())
        _bridge.keep_states("states" not in self.without.value)
        redirects.leave_out_locks("locks" in self.without.value)
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
        if self.owns_futures:
            futures.disown()
        redirects.take_away()
        for patch in reversed(self.patches):
            patch.take_away()


_lock = threading.RLock()
_installation: _Installation | None = None


def install(
    mode: str | None = None, drain_timeout: float | None = None, without: Iterable[str] | None = None
) -> ModuleType:
    """Puts icegil in place around the installed Ice; one call at the start of a program is all it needs.

    May be called again: what is given then replaces what was set. Communicators that live already are taken in.
    To be called from the main thread. Handlers at exit may use Ice, whenever they are registered.

    Parameters
    ----------
    mode : str | None
        `"teardown"`: communicators are destroyed before Python finalizes, and `destroyAsync` is made safe.
        `"guard"`: every crossing between Ice's threads and Python is guarded too.
        `"auto"`: the guard where it is possible. None: the property `IceGil.Mode` of the first communicator, else the
        environment's `ICEGIL_MODE`, else `"auto"`.
    drain_timeout : float | None
        Longest time in seconds that the shutdown waits, once every handler at exit has run.
        None: the longest `IceGil.DrainTimeout` among the communicators' properties, else the environment's
        `ICEGIL_DRAIN_TIMEOUT`, else 5.
    without : Iterable[str] | None
        What the guard is not to change for the running program, for whoever suspects it: `"futures"` (Ice's own stay,
        and with them goes `"ownership"`), `"ownership"` (no reference of IcePy's is given back), `"locks"` (threads
        wait for Ice's locks with the GIL in hand), `"states"` (each callback has a thread state made and freed).
        Names, or one string with commas. None: the environment's `ICEGIL_WITHOUT`, else nothing.

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
        left_out = settings.without(without)
        if _installation is not None:  # what is not given stays
            chosen = chosen if mode is not None else _installation.mode
            left_out = left_out if without is not None else _installation.without
            if (chosen.value, left_out.value) != (_installation.mode.value, _installation.without.value):
                timeout = timeout if drain_timeout is not None else _installation.drain_timeout
                uninstall()
        if _installation is None:
            had_ice = "Ice" in sys.modules
            _installation = _Installation(chosen, timeout, left_out)
            taken_in = _take_in(_installation.ice) if had_ice else []
            if timeline:
                import icegil.trace as trace

                trace.start_for_environment(timeline)
            for communicator in taken_in:
                _follow(communicator)
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
        without=() if installation is None else installation.without.value,
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
    if installation is None:
        return {}
    names = ("mode", "drain_timeout", "without")
    return {name: getattr(installation, name) for name in names}


def is_finalizing() -> bool:
    """Whether the shutdown has begun: the gate is not open, or Python finalizes. Callable from any thread."""
    return _bridge.is_finalizing()


def get_include() -> str:
    """The directory of icegil's C++ headers, for `#include <icegil/gate.hpp>` in other extensions."""
    package = os.path.dirname(os.path.abspath(__file__))
    inside = os.path.join(package, "include")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "include")


def _take_in(ice: ModuleType) -> list[Any]:
    """Watches the communicators that were made before, which nothing but the garbage collector knows; those that live.

    It is asked for what refers to their class, not for all objects: while those are held, another thread's half-made
    tuple has two owners, PyTuple_SetItem refuses it (SystemError), and IcePy goes on with a null pointer.
    """
    communicator = _compat.communicator_class(ice)
    found = [
        thing for thing in gc.get_referrers(communicator) if type(thing) is communicator and hasattr(thing, "_impl")
    ]
    return [each for each in found if not lifecycle.watch(each).is_over]


def _follow(communicator: Any) -> None:
    """Does what the properties of a communicator that was just made ask for, where no call has decided."""
    asked = properties.asked(communicator)
    if asked is None:
        return
    with _lock:
        if _installation is None:
            return
        _installation.drain_timeout = properties.longest(asked.drain_timeout, _installation.drain_timeout)
        if asked.mode is not None and _installation.mode.source != "call":
            _follow_mode(asked.mode, _installation)
        if asked.trace is not None:
            import icegil.trace as trace

            trace.start_for_property(asked.trace)
        if asked.has_facet:
            import icegil.admin_facet as admin_facet

            admin_facet.add(communicator, _installation.ice)


def _follow_mode(mode: str, current: _Installation) -> None:
    """Changes the mode for the only communicator there is: the threads of others are in the middle of something."""
    global _installation
    is_other = current.reason == "" if mode == "teardown" else current.mode.value == "teardown"
    if is_other and lifecycle.number_alive() > 1:
        properties.say_once(
            f"IceGil.Mode={mode} comes too late: another communicator lives, and the mode stays as it is"
        )
        return
    if is_other:
        uninstall()  # and not in mode "guard", which raises where it is not possible
        setting = Setting("teardown" if mode == "teardown" else "auto", "properties")
        current = _installation = _Installation(setting, current.drain_timeout, current.without)
    if mode == "guard" and current.reason:
        properties.say_once(f"IceGil.Mode=guard cannot be done: {current.reason}")
    else:
        current.mode = Setting(mode, "properties")
