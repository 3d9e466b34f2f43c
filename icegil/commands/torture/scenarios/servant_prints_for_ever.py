r"""A servant never returns, and prints.

hazard: it is stopped with the lock of stdout in its hands, which Python flushes last of all
ends: status 3
stderr: not everything ended within 1 s.*communicator made at .*_echo\.py:\d+.*thread \d+ .* in ice_invoke\n.*
within: 5
drain: 1
needs: guard
"""

import sys
import threading

import Ice
from _echo import Echo, communicator, serve

entered = threading.Event()


class Stuck(Echo):
    def ice_invoke(self, arguments, current):
        entered.set()
        while True:
            print("still here", flush=True)


ice = communicator()
serve(ice, Stuck()).ice_oneway().ice_invoke("stick", Ice.OperationMode.Normal, b"")
entered.wait()
sys.exit(3)
