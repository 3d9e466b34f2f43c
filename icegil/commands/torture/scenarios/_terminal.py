"""A terminal, and a daemon thread that waits in `input()` for what is never typed."""

import ctypes
import os
import sys
import threading


def wait_in_input():
    """Makes a terminal of standard input and output; returns once a daemon thread has C's `stdin` locked in `input()`."""
    libc = ctypes.CDLL(None)
    stdin = ctypes.c_void_p.in_dll(libc, "stdin")
    sys.stdout.flush()
    ours, theirs = os.openpty()
    for number in (0, 1):
        os.dup2(theirs, number)
    threading.Thread(target=input, daemon=True).start()
    while libc.ftrylockfile(stdin) == 0:
        libc.funlockfile(stdin)
        os.sched_yield()
    return ours
