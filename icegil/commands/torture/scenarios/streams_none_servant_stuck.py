r"""A program has no standard streams, and a servant waits for an event that never comes.

hazard: whoever flushes the streams of a stuck process trips over what is not there, and leaves the rest undone
ends: status 3
within: 8
drain: 1
"""

import sys
import threading

import Ice
from _echo import Echo, communicator, serve, storm

entered = threading.Event()


class Stuck(Echo):
    def ice_invoke(self, arguments, current):
        entered.set()
        threading.Event().wait()


ice, another = communicator(), communicator()
serve(ice, Stuck()).ice_oneway().ice_invoke("stick", Ice.OperationMode.Normal, b"")
entered.wait()
pending = storm(serve(another))
sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = None
sys.exit(3)
