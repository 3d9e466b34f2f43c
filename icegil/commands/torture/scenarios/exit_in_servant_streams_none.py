"""A servant calls `sys.exit(7)` in a program without standard streams.

hazard: what flushes the streams on that thread trips over what is not there, and the status is lost
ends: status 7
within: 8
needs: guard
"""

import sys
import threading

import Ice
from _echo import Echo, communicator, serve


class Exits(Echo):
    def ice_invoke(self, arguments, current):
        if current.operation == "exit":
            sys.exit(7)
        return True, arguments


ice = communicator({"Ice.ThreadPool.Server.Size": 2})
proxy = serve(ice, Exits())
sys.stdout = sys.stderr = None
proxy.ice_oneway().ice_invoke("exit", Ice.OperationMode.Normal, b"")
threading.Event().wait()
