"""Which imports of which loaded objects lead to the bridge, and whether they still do."""

import sys

from icegil import _bridge
from icegil.errors import GuardUnavailable

# The release comes first and stays for good: an entry into Python that was counted must be counted out, also when
# icegil is uninstalled, or installed, in the middle of it. Without an entry it is the plain release.
_RELEASE = "PyGILState_Release"
_CROSSINGS = (_RELEASE, "PyGILState_Ensure", "PyEval_RestoreThread", "PyImport_ImportModule")

_made: list[_bridge.Redirect] = []


def put() -> None:
    """Redirects all that the guard needs, and takes back what another tool has taken since.

    Raises
    ------
    GuardUnavailable
        One of them cannot be redirected; then none is.
    """
    if not _made:
        _made.extend(_bridge.Redirect(name, _bridge.address_in_icepy()) for name in _CROSSINGS)
        if sys.version_info < (3, 14):  # from there on CPython parks by itself
            _made.append(_bridge.Redirect("pthread_exit", _bridge.address_in_interpreter()))
    for redirect in _made:
        reason = redirect.put()
        if reason:
            take_away()
            where = redirect.path or sys.executable
            raise GuardUnavailable(f"{redirect.name} in {where} cannot be redirected: {reason}")


def take_away() -> None:
    """Puts back what was there. Threads that are in the bridge finish as they began."""
    for redirect in _made:
        if redirect.name != _RELEASE:
            redirect.take_away()


def in_place() -> tuple[str, ...]:
    """The names that lead to the bridge now."""
    return tuple(redirect.name for redirect in _made if redirect.is_in_place)
