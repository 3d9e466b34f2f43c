"""A servant calls `sys.exit(7)`; standard output is closed, and the program reports what it did not expect over Ice.

hazard: the flush fails when Ice is closed already, and the program's `sys.excepthook` stands still in its call
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


def report(kind, error, trace):
    proxy.ice_invoke("report", Ice.OperationMode.Normal, b"", {"error": repr(error)})


ice = communicator({"Ice.ThreadPool.Server.Size": 2})
proxy = serve(ice, Exits())
sys.excepthook = report
sys.stdout.close()
proxy.ice_oneway().ice_invoke("exit", Ice.OperationMode.Normal, b"")
threading.Event().wait()
