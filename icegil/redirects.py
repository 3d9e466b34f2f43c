"""Which imports of which loaded objects lead to the bridge, and whether they still do."""

from __future__ import annotations

import sys

from icegil import _bridge, _compat
from icegil.errors import GuardUnavailable

# The release comes first and stays for good: an entry into Python that was counted must be counted out, also when
# icegil is uninstalled, or installed, in the middle of it. Without an entry it is the plain release.
_RELEASE = "PyGILState_Release"
_CROSSINGS = (_RELEASE, "PyGILState_Ensure", "PyEval_RestoreThread", "PyImport_ImportModule", "Py_Exit")

# Where the Ice runtime may wait; each library of it imports some of them. These stay for good too: a thread that waits
# through the bridge comes back with a lock of Ice and wants the GIL, and nobody may have begun to wait for that lock
# with the GIL in hand.
_WAITS = (
    "pthread_mutex_lock",
    "pthread_cond_wait",
    "pthread_cond_timedwait",
    "pthread_cond_clockwait",
    "pthread_join",
    "_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE",
    "_ZNSt6thread4joinEv",
)

_crossings: list[_bridge.Redirect] = []
_waits: list[_bridge.Redirect] = []


def put() -> None:
    """Redirects all that the guard needs, and takes back what another tool has taken since.

    Raises
    ------
    GuardUnavailable
        One of them cannot be redirected; then none is.
    """
    if not _crossings:
        _find()
    for redirect in _crossings:
        reason = redirect.put()
        if reason:
            take_away()
            where = redirect.path or sys.executable
            raise GuardUnavailable(f"{redirect.name} in {where} cannot be redirected: {reason}")
    for redirect in _waits:
        redirect.put()


def _find() -> None:
    icepy = _bridge.address_in_icepy()
    _crossings.extend(_bridge.Redirect(name, icepy) for name in _CROSSINGS)
    if _compat.ENDS_LATE_THREADS:
        _crossings.append(_bridge.Redirect("pthread_exit", _bridge.address_in_interpreter()))
    for library in (icepy, *ice_libraries(icepy).values()):
        _waits.extend(_bridge.Redirect(name, library) for name in _WAITS)


def ice_libraries(icepy: int) -> dict[str, int]:
    """The libraries that hold the Ice runtime where IcePy does not, `libIce.so` and its like; an address in each."""
    found: dict[str, int] = {}
    left = [icepy]
    while left:
        for soname, address in _bridge.needed_objects_of(left.pop()):
            if soname.startswith("libIce") and soname not in found:
                found[soname] = address
                left.append(address)
    return found


def known() -> tuple[_bridge.Redirect, ...]:
    """All that the guard looked for, in place or not; none before the guard was put."""
    return (*_crossings, *_waits)


def is_needed(redirect: _bridge.Redirect) -> bool:
    """Whether there is no guard without this one."""
    return redirect in _crossings


def take_away() -> None:
    """Puts back what was there, but for what must stay. Threads that are in the bridge finish as they began."""
    for redirect in _crossings:
        if redirect.name != _RELEASE:
            redirect.take_away()


def in_place() -> tuple[str, ...]:
    """The names that lead to the bridge now."""
    return tuple(dict.fromkeys(redirect.name for redirect in known() if redirect.is_in_place))
