"""Communicators that are never destroyed, in a process that can have no more threads.

hazard: who takes Ice down needs threads for it, and leaves all undone without
ends: status 3
stderr: (?:(?!Traceback|Exception ignored|terminate called|!!).)*
within: 10
needs: guard
"""

import itertools
import resource
import sys
import threading

from _echo import communicator, serve, storm


def use_up_threads():
    """Leaves no room for a thread's stack, neither new nor one that a thread has left behind."""
    with open("/proc/self/statm") as statm:
        size = int(statm.read().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + 6_000_000, most))  # a stack is 8 MB
    for _ in itertools.count():
        try:
            threading.Thread(target=threading.Event().wait, daemon=True).start()
        except RuntimeError:
            return


ices = [communicator() for _ in range(3)]
pending = [storm(serve(ice), 300) for ice in ices]
for future in itertools.chain(*pending):
    future.result()
use_up_threads()
pending = [storm(serve(ice), 100) for ice in ices[:1]]
sys.exit(3)
