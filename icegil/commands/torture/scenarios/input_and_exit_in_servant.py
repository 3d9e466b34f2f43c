"""A daemon thread waits for the user at a terminal, and a servant calls `sys.exit(7)`.

hazard: whoever flushes all of C's streams at exit waits for the one that the daemon thread reads from
ends: status 7
within: 8
needs: guard
"""

import sys
import threading

import Ice
from _echo import Echo, communicator, serve
from _terminal import wait_in_input


class Exits(Echo):
    def ice_invoke(self, arguments, current):
        sys.exit(7)


terminal = wait_in_input()
ice = communicator()
serve(ice, Exits()).ice_oneway().ice_invoke("exit", Ice.OperationMode.Normal, b"")
threading.Event().wait()
