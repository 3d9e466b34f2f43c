"""icegil: Ice for Python that survives interpreter shutdown.

``from icegil import Ice`` gives the genuine ``Ice`` module, guarded from there on. Importing ``icegil`` alone changes
nothing.
"""

from typing import TYPE_CHECKING

from icegil.aio import destroy_async, shutdown_completed
from icegil.errors import GuardUnavailable, IcegilError, UnsupportedIce
from icegil.guard import get_include, install, is_finalizing, status, uninstall
from icegil.lifecycle import destroy

if TYPE_CHECKING:
    import Ice

    from icegil.views import Status

__all__ = [
    "GuardUnavailable",
    "Ice",
    "IcegilError",
    "Status",
    "UnsupportedIce",
    "destroy",
    "destroy_async",
    "get_include",
    "install",
    "is_finalizing",
    "shutdown_completed",
    "status",
    "uninstall",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name == "Ice":
        return install()
    if name == "Status":
        from icegil.views import Status

        return Status
    raise AttributeError(f"module 'icegil' has no attribute {name!r}")
