"""The ways in which a program leaves."""

import signal
import sys


def leave(how, ice):
    """Leaves: by an exit, an error or a signal; or, if it returns, over the end of the program."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    if how == "exit":
        sys.exit(3)
    if how == "error":
        raise RuntimeError("the market is closed")
    if how in ("SIGTERM", "SIGINT"):
        signal.raise_signal(getattr(signal, how))
    if how == "destroyed":
        ice.destroy()
