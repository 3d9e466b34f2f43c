"""Which icegil this is, and which Ice."""

import sys

ICEGIL = "0.2.0"


def ice() -> str | None:
    """The version of zeroc-ice; None before it was imported."""
    module = sys.modules.get("Ice")
    return None if module is None else str(module.stringVersion())
