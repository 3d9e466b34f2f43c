r"""A servant sleeps where Python cannot reach it.

hazard: the thread wakes when the interpreter is gone
ends: status 3
stderr: not everything ended within 1 s of shutdown.*communicator made at .*_echo\.py:\d+.*thread \d+ .* in ice_invoke\n.*
within: 5
drain: 1
needs: guard
"""

import sys
import threading
import time

import Ice
from _echo import Echo, communicator, serve

entered = threading.Event()


class Stuck(Echo):
    def ice_invoke(self, arguments, current):
        entered.set()
        time.sleep(1000)


ice = communicator()
serve(ice, Stuck()).ice_oneway().ice_invoke("stick", Ice.OperationMode.Normal, b"")
entered.wait()
sys.exit(3)
