r"""A servant waits for an event that never comes.

hazard: the destruction waits for the dispatch, and the process for the destruction
ends: status 3
stderr: not everything ended within 1 s of shutdown.*communicator made at .*_echo\.py:\d+.*thread \d+ .* in ice_invoke\n.*
within: 5
drain: 1
"""

import sys
import threading

import Ice
from _echo import Echo, communicator, serve

entered = threading.Event()


class Stuck(Echo):
    def ice_invoke(self, arguments, current):
        entered.set()
        threading.Event().wait()


ice = communicator()
serve(ice, Stuck()).ice_oneway().ice_invoke("stick", Ice.OperationMode.Normal, b"")
entered.wait()
sys.exit(3)
