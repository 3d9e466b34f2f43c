"""Threads of Ice end, and what they keep in a `threading.local` calls Ice as it goes.

hazard: the calls come back to Python on the thread that ends, while its thread state is being freed
ends: status 3
needs: guard
"""

import contextlib
import sys
import threading
import weakref

import Ice
from _echo import Echo, communicator, serve
from _logger import TRACING, Logger

kept = threading.local()
said_goodbye = []


def say_goodbye(who):
    """Over the network, to a servant of the same communicator, and by a callback on this very thread."""
    with contextlib.suppress(Ice.LocalException):  # at the exit, where that communicator is destroyed as well
        for proxy in (far, near):
            proxy.ice_ping()
            proxy.ice_pingAsync().add_done_callback(lambda done: None)
    said_goodbye.append(who)


class Session:
    def __del__(self):
        say_goodbye("session")


class Link:
    pass


class Opens(Echo):
    def ice_invoke(self, arguments, current):
        kept.session = Session()
        kept.link = Link()
        kept.watch = weakref.ref(kept.link, lambda reference: say_goodbye("link"))
        return True, arguments


other = communicator(TRACING, logger=Logger())
far = serve(other)
near = far.ice_collocationOptimized(True)
for _ in range(10):
    with communicator() as ice:
        serve(ice, Opens()).ice_invoke("open", Ice.OperationMode.Normal, b"")
assert said_goodbye.count("session") == 10, said_goodbye
ice = communicator()
serve(ice, Opens()).ice_invoke("open", Ice.OperationMode.Normal, b"")
sys.exit(3)
