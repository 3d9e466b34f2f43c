"""A servant locator finds the servant of every request, and is told when each is done with.

hazard: three calls into Python for one request; the last of all, `deactivate`, comes from the destruction itself
ends: status 0
"""

import Ice
from _echo import Echo, communicator, storm
from _futures import with_futures


class Locator(Ice.ServantLocator):
    def locate(self, current):
        print("located", flush=True)
        return Echo(), object()

    def finished(self, current, servant, cookie):
        print("finished", flush=True)

    def deactivate(self, category):
        print("deactivated", flush=True)


ice = communicator()
adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
adapter.addServantLocator(Locator(), "found")
adapter.activate()
pending = storm(
    with_futures(adapter.createProxy(Ice.stringToIdentity("found/it"))).ice_collocationOptimized(False), 200
)
