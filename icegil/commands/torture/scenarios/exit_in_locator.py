"""A servant locator calls `sys.exit(7)` while requests run and the main thread waits.

hazard: IcePy finalizes Python on a thread of Ice, under all the other threads
ends: status 7
needs: guard
"""

import sys
import threading

import Ice
from _echo import Echo, communicator, storm
from _futures import with_futures


class Locator(Ice.ServantLocator):
    located = 0

    def locate(self, current):
        return Echo()

    def finished(self, current, servant, cookie):
        Locator.located += 1
        if Locator.located == 100:
            sys.exit(7)

    def deactivate(self, category):
        pass


ice = communicator({"Ice.ThreadPool.Server.Size": 4})
adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
adapter.addServantLocator(Locator(), "")
adapter.activate()
pending = storm(with_futures(adapter.createProxy(Ice.stringToIdentity("it"))).ice_collocationOptimized(False), 200)
threading.Event().wait()
