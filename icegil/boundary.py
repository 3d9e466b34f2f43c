"""Loads the boundary, one of its three builds. To be imported before anything else of icegil is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType


def _load() -> ModuleType:
    try:
        return import_module("icegil._bridge")
    except ModuleNotFoundError as error:
        if error.name != "icegil._bridge":
            raise
        return import_module("icegil._bridge_python")
    except ImportError as error:
        # ld.so keeps some storage of each thread for libraries that are loaded later, and others have used it up.
        if "static TLS" not in str(error):
            raise
        return import_module("icegil._bridge_anywhere")


_loaded = sys.modules["icegil"]._bridge = sys.modules["icegil._bridge"] = _load()  # type: ignore[attr-defined]

IS_COMPILED = _loaded.__name__ != "icegil._bridge_python"
"""Whether there can be a guard, and threads that Python does not start."""

keep_thread: Callable[[], None] | None = getattr(_loaded, "keep_thread", None)
"""Has a thread ready for the end, where there are no native ones."""


def why_not_compiled() -> str:
    """Why it is not, in a sentence."""
    import platform
    import sysconfig

    kind = "free-threaded " if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    here = f"{kind}{platform.python_implementation()} on {sys.platform}, {platform.machine() or 'unknown processor'}"
    return f"icegil was installed without its compiled part, which there is for CPython on Linux with glibc ({here})"
