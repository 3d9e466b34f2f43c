"""Loads the boundary, one of its two builds. To be imported before anything else of icegil is."""

from __future__ import annotations

import sys
from importlib import import_module

try:
    import_module("icegil._bridge")
except ImportError as error:
    # ld.so keeps some storage of each thread for libraries that are loaded later, and others have used it up.
    if "static TLS" not in str(error):
        raise
    sys.modules["icegil._bridge"] = import_module("icegil._bridge_anywhere")
