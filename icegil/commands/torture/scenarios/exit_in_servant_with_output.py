"""A servant has printed, and calls `sys.exit(7)` while the main thread waits; the output is still in its buffer.

hazard: the thread lets the GIL go to write the output, and is no thread that may take it again
ends: status 7
needs: guard
"""

import sys
import threading

import Ice
from _echo import Echo, communicator, serve


class Servant(Echo):
    def ice_invoke(self, arguments, current):
        print("this is all")
        sys.exit(7)


ice = communicator()
serve(ice, Servant()).ice_oneway().ice_invoke("exit", Ice.OperationMode.Normal, b"")
threading.Event().wait()
