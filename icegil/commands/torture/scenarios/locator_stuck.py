r"""A servant locator never finds what it looks for.

hazard: the destruction waits for the dispatch, which has no servant yet
ends: status 3
stderr: not everything ended within 1 s.*communicator made at .*_echo\.py:\d+.*thread \d+ .* in locate\n.*
within: 5
drain: 1
needs: guard
"""

import sys
import threading

import Ice
from _echo import communicator
from _futures import with_futures

entered = threading.Event()


class Locator(Ice.ServantLocator):
    def locate(self, current):
        entered.set()
        threading.Event().wait()

    def finished(self, current, servant, cookie):
        pass

    def deactivate(self, category):
        pass


ice = communicator()
adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
adapter.addServantLocator(Locator(), "")
adapter.activate()
pending = with_futures(adapter.createProxy(Ice.stringToIdentity("it"))).ice_collocationOptimized(False).ice_pingAsync()
entered.wait()
sys.exit(3)
