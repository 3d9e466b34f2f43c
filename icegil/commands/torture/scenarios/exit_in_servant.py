"""A servant calls `sys.exit(7)` while other dispatches run and the main thread waits.

hazard: IcePy finalizes Python on a thread of Ice, under all the other threads
ends: status 7
needs: guard
"""

import sys
import threading
import time

import Ice
from _echo import Echo, communicator, serve

all_in = threading.Barrier(3)


class Servant(Echo):
    def ice_invoke(self, arguments, current):
        all_in.wait()
        if current.operation == "exit":
            sys.exit(7)
        while True:
            time.sleep(0.001)


ice = communicator({"Ice.ThreadPool.Server.Size": 4})
proxy = serve(ice, Servant()).ice_oneway()
for operation in ("stay", "exit", "stay"):
    proxy.ice_invoke(operation, Ice.OperationMode.Normal, b"")
threading.Event().wait()
