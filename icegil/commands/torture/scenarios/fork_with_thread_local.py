"""A process forks while threads of Ice have something in a `threading.local` that calls Ice in its `__del__`.

hazard: Python deletes the states of threads that the child has not got, and the call waits for one of them
ends: status 3
needs: guard
"""

import os
import sys
import threading
import warnings

import Ice
from _echo import Echo, communicator, serve

warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 on, whoever forks with threads around

kept = threading.local()


class Session:
    def __del__(self):
        try:
            proxy.ice_ping()
        except Ice.LocalException:
            pass  # at the exit


class Opens(Echo):
    def ice_invoke(self, arguments, current):
        kept.session = Session()
        return True, arguments


proxy = serve(communicator())
with communicator() as ice:
    serve(ice, Opens()).ice_invoke("open", Ice.OperationMode.Normal, b"")
    for leave in (os._exit, sys.exit):
        child = os.fork()
        if child == 0:
            leave(5)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
sys.exit(3)
