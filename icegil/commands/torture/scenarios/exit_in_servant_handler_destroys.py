"""A servant calls `sys.exit()`, and a handler at exit destroys the communicator.

hazard: the handler runs on the servant's thread, and waits for the dispatch that it is in
ends: status 7
needs: guard
"""

import atexit
import sys
import threading

import Ice
from _echo import Echo, communicator, serve


class Exits(Echo):
    def ice_invoke(self, arguments, current):
        sys.exit(7)


ice = communicator()
atexit.register(ice.destroy)
serve(ice, Exits()).ice_oneway().ice_invoke("exit", Ice.OperationMode.Normal, b"")
threading.Event().wait()
