"""What this process has at rest: bytes of malloc, resident memory, Python objects."""

from __future__ import annotations

import ctypes
import gc
import os
import time

EXACT = {"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
"""The environment in which malloc can be asked for all of it, to the byte.

Python's objects are malloc's own then, not parts of arenas, and what is freed is counted as free at once: a thread's
cache would keep up to seven blocks of each size, and malloc counts them as used.
"""

LOOK = 0.002
"""Seconds between two looks at the threads."""

PATIENCE = 20.0
"""Seconds after which a process that never rests is given up."""


class NeverAtRest(Exception):
    """The threads of this process go on and on."""


class _Mallinfo(ctypes.Structure):
    """`struct mallinfo2` of <malloc.h>; glibc 2.33 and later."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]


_mallinfo = ctypes.CDLL(None).mallinfo2
_mallinfo.restype = _Mallinfo
_PAGE = os.sysconf("SC_PAGE_SIZE")


Reading = tuple[int, int, int]
"""Bytes that malloc has given out, in all its arenas and in pages of their own; bytes in resident memory; objects."""


def read() -> Reading:
    """Waits until the process is at rest, without garbage, and looks what it has."""
    for _ in range(5):  # what a finalizer let go of may be garbage by now
        _wait_for_rest()
        if not gc.collect():
            break
    _wait_for_rest()
    info = _mallinfo()
    allocated = info.uordblks + info.hblkhd
    resident = int(_text("/proc/self/statm").split()[1]) * _PAGE
    return allocated, resident, len(gc.get_objects())


def _text(path: str) -> str:
    """What stands in a small file of the kernel, without what Python's files and paths keep for later."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, 4096).decode()
    finally:
        os.close(file)


def _wait_for_rest() -> None:
    """Comes back when no other thread has run between two looks, three times in a row.

    An answer is there before the thread that brought it has let go of what it had for it, and on the other end the
    thread that sent it is just going on.
    """
    end = time.monotonic() + PATIENCE
    before, same = _threads(), 0
    while same < 3:
        time.sleep(LOOK)
        now = _threads()
        same = same + 1 if now == before and now is not None else 0
        before = now
        if time.monotonic() > end:
            raise NeverAtRest(f"threads are still running after {PATIENCE:.0f} seconds")


def _threads() -> dict[str, str] | None:
    """How often each other thread has gone to sleep, or None if one of them does not sleep now."""
    own, switches = str(os.getpid()), {}
    for task in os.listdir("/proc/self/task"):
        if task == own:
            continue
        try:
            status = _text(f"/proc/self/task/{task}/status")
        except (FileNotFoundError, ProcessLookupError):
            return None  # it is just ending
        if "\nState:\tS" not in status:
            return None
        switches[task] = status[status.index("\nvoluntary_ctxt_switches") :]
    return switches
