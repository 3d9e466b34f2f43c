"""icegil: Ice for Python that survives interpreter shutdown.

``from icegil import Ice`` gives the genuine ``Ice`` module, guarded from there on. Importing ``icegil`` alone changes
nothing.
"""

from typing import TYPE_CHECKING

import icegil.boundary as boundary  # noqa: F401  # before all others
import icegil.versions as versions
from icegil.aio import destroy_async, shutdown_completed
from icegil.errors import GuardUnavailable, IcegilError, UnsupportedIce
from icegil.guard import get_include, install, is_finalizing, snapshot, status, uninstall
from icegil.lifecycle import destroy

if TYPE_CHECKING:
    import Ice as Ice

    import icegil.trace as trace
    from icegil.views import Snapshot, Status

# Not `Ice`: who asks for that has icegil installed, which `from icegil import *` and tools that go through a module's
# names do not mean.
__all__ = [
    "GuardUnavailable",
    "IcegilError",
    "Snapshot",
    "Status",
    "UnsupportedIce",
    "destroy",
    "destroy_async",
    "get_include",
    "install",
    "is_finalizing",
    "shutdown_completed",
    "snapshot",
    "status",
    "trace",
    "uninstall",
]
__version__ = versions.ICEGIL


def __getattr__(name: str) -> object:
    if name == "Ice":
        return install()
    if name == "trace":
        import icegil.trace as trace

        return trace
    if name in ("Snapshot", "Status"):
        import icegil.views as views

        return getattr(views, name)
    raise AttributeError(f"module 'icegil' has no attribute {name!r}")


def load_ipython_extension(ipython: object) -> None:
    """What `%load_ext icegil` calls, in a notebook: puts icegil in place, around an Ice that is in use as well."""
    install()


def unload_ipython_extension(ipython: object) -> None:
    """What `%unload_ext icegil` calls: takes icegil away again."""
    uninstall()
