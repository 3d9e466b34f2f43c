"""Which imports of which loaded objects lead to the bridge, and whether they still do."""

from __future__ import annotations

import sys
from typing import NamedTuple

import icegil._bridge as _bridge
import icegil._compat as _compat
from icegil.errors import GuardUnavailable

ICEPY = "IcePy"
INTERPRETER = "the interpreter"
RUNTIME = "the Ice runtime"


class Redirected(NamedTuple):
    """One function that is imported elsewhere, and that the bridge's `on_...` of the same name stands in for."""

    name: str
    """As people write it."""
    imported_by: str
    """`ICEPY`; `INTERPRETER`: the object that holds it; `RUNTIME`: IcePy and each `libIce*.so` that it needs."""
    why: str
    symbol: str = ""
    """As it is imported; empty: as `name`."""
    versions: str = ""
    """Where not all: the versions of CPython."""
    is_there: bool = True
    """Whether this version is among them."""
    stays: bool = False
    """It is not taken away by `uninstall`."""
    is_needed: bool = True
    """Whether there is no guard without it."""

    @property
    def import_name(self) -> str:
        """As it is imported."""
        return self.symbol or self.name


_COUNTED_OUT = "an entry into Python that was counted must be counted out, also after `uninstall` in the middle of it"
_LOCK = "its owner may want the GIL, to call a Python logger say"
_WAIT = "who ends the wait may want the GIL first"
_SLOW = "nobody needs the GIL to end it, but all others would wait for it"
_FUTEX = (
    "_ZNSt28__atomic_futex_unsigned_base{}EPjjbNSt6chrono8durationIlSt5ratioILl1ELl1EEEENS2_IlS3_ILl1ELl1000000000EEEE"
)
_CONSUMES = "IcePy consumes exceptions with it, also what a signal handler of the program raises"
_RAISES = "IcePy raises with it: what was kept for the program goes first"
_NAMES = "IcePy has the same few names made for each call: they are made once"
_JOIN = "the thread that ends may want the GIL first"

# What the bridge stands in for, all of it. What blocks stays for good: a thread that waits through the bridge comes
# back with a lock of Ice and wants the GIL, and nobody may have begun to wait for that lock with the GIL in hand.
FUNCTIONS = (
    Redirected("PyGILState_Release", ICEPY, _COUNTED_OUT, stays=True),
    Redirected("PyGILState_Ensure", ICEPY, "a thread of Ice comes into Python: it is counted, or parked"),
    Redirected("PyEval_RestoreThread", ICEPY, "a thread of Python comes back from Ice: it is counted, or parked"),
    Redirected("PyImport_ImportModule", ICEPY, "IcePy looks its classes up, also when Python has emptied its modules"),
    Redirected(
        "PyImport_GetModuleDict", ICEPY, "IcePy 3.7 looks into `sys.modules` when there is none", is_needed=False
    ),
    Redirected("PyDict_GetItemString", ICEPY, _NAMES, is_needed=False),
    Redirected("PyObject_SetAttrString", ICEPY, _NAMES, is_needed=False),
    Redirected("Py_Exit", ICEPY, "`sys.exit()` in a callback would finalize on a thread of Ice"),
    Redirected("PyErr_GetRaisedException", ICEPY, _CONSUMES, is_needed=False),
    Redirected("PyErr_Fetch", ICEPY, _CONSUMES, is_needed=False),
    Redirected("PyErr_Clear", ICEPY, _CONSUMES, is_needed=False),
    Redirected("PyErr_Print", ICEPY, _CONSUMES, is_needed=False),
    Redirected("PyErr_PrintEx", ICEPY, _CONSUMES, is_needed=False),
    Redirected("PyErr_SetRaisedException", ICEPY, _RAISES, is_needed=False),
    Redirected("PyErr_Restore", ICEPY, _RAISES, is_needed=False),
    Redirected(
        "PyObject_GetAttrString",
        ICEPY,
        "IcePy goes on where an attribute is missing since a signal handler has raised",
        is_needed=False,
    ),
    Redirected(
        "pthread_exit",
        INTERPRETER,
        "Python ends a thread that comes too late, through C++ frames that forbid it",
        versions="up to 3.13",
        is_there=_compat.ENDS_LATE_THREADS,
    ),
    Redirected("pthread_mutex_lock", RUNTIME, _LOCK, stays=True, is_needed=False),
    Redirected("pthread_cond_wait", RUNTIME, _WAIT, stays=True, is_needed=False),
    Redirected("pthread_cond_timedwait", RUNTIME, _WAIT, stays=True, is_needed=False),
    Redirected("pthread_cond_clockwait", RUNTIME, _WAIT, stays=True, is_needed=False),
    Redirected("pthread_join", RUNTIME, _JOIN, stays=True, is_needed=False),
    Redirected(
        "std::condition_variable::wait",
        RUNTIME,
        _WAIT,
        symbol="_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE",
        stays=True,
        is_needed=False,
    ),
    Redirected("std::thread::join", RUNTIME, _JOIN, symbol="_ZNSt6thread4joinEv", stays=True, is_needed=False),
    Redirected(
        "std::__atomic_futex_unsigned_base::_M_futex_wait_until",
        RUNTIME,
        "`std::future` waits with it: " + _WAIT,
        symbol=_FUTEX.format("19_M_futex_wait_until"),
        stays=True,
        is_needed=False,
    ),
    Redirected(
        "std::__atomic_futex_unsigned_base::_M_futex_wait_until_steady",
        RUNTIME,
        "the same, by another clock",
        symbol=_FUTEX.format("26_M_futex_wait_until_steady"),
        stays=True,
        is_needed=False,
    ),
    Redirected("getaddrinfo", RUNTIME, _SLOW, stays=True, is_needed=False),
)


class Slot(NamedTuple):
    """One of those functions, as one loaded object imports it."""

    function: Redirected
    redirect: _bridge.Redirect


_slots: list[Slot] = []
_leaves_locks = False


def leave_out_locks(leaves: bool) -> None:
    """Whether the runtime's locks and waits are left as they are. Those that were redirected before stay so."""
    global _leaves_locks
    _leaves_locks = leaves


def put() -> None:
    """Redirects all that the guard needs, and takes back what another tool has taken since.

    Raises
    ------
    GuardUnavailable
        One of them cannot be redirected; then none is.
    """
    if not _slots:
        _slots.extend(_find())
        icepy = _bridge.address_in_icepy()
        _bridge.set_own_code([_bridge.address_in_bridge(), icepy, *ice_libraries(icepy).values()])
    for function, redirect in known():
        reason = redirect.put()
        if reason and function.is_needed:
            take_away()
            where = redirect.path or sys.executable
            raise GuardUnavailable(f"{function.name} in {where} cannot be redirected: {reason}")


def _find() -> list[Slot]:
    icepy = _bridge.address_in_icepy()
    objects = {
        ICEPY: [icepy],
        INTERPRETER: [_bridge.address_in_interpreter()],
        RUNTIME: [icepy, *ice_libraries(icepy).values()],
    }
    return [
        Slot(function, _bridge.Redirect(function.import_name, address))
        for function in FUNCTIONS
        if function.is_there
        for address in objects[function.imported_by]
    ]


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


def known() -> tuple[Slot, ...]:
    """All that the guard is to redirect, in place or not; none before the guard was put."""
    return tuple(slot for slot in _slots if not (_leaves_locks and slot.function.imported_by == RUNTIME))


def take_away() -> None:
    """Puts back what was there, but for what must stay. Threads that are in the bridge finish as they began."""
    for function, redirect in _slots:
        if not function.stays:
            redirect.take_away()


def in_place() -> tuple[str, ...]:
    """The names, as they are imported, that lead to the bridge now."""
    return tuple(dict.fromkeys(redirect.name for _, redirect in _slots if redirect.is_in_place))
