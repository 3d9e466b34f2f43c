"""A program makes the administrative object on an adapter of its own, which tells a locator in the same process.

hazard: who makes it waits with the GIL in hand for the answer of the locator, which is in Python
ends: status 0
within: 8
"""

import Ice
from _echo import communicator


class Registry(Ice.LocatorRegistry):
    def setAdapterDirectProxy(self, name, proxy, current):
        told.append(name)

    def setReplicatedAdapterDirectProxy(self, name, group, proxy, current):
        told.append(name)

    def setServerProcessProxy(self, name, proxy, current):
        told.append(name)


class Locator(Ice.Locator):
    def getRegistry(self, current):
        return registry

    def findObjectById(self, identity, current):
        return None

    def findAdapterById(self, name, current):
        return None


told = []
with communicator() as here:
    adapter = here.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    made = adapter.add(Registry(), Ice.stringToIdentity("registry"))
    registry = Ice.LocatorRegistryPrx.uncheckedCast(made)
    locator = adapter.add(Locator(), Ice.stringToIdentity("locator"))
    adapter.activate()
    properties = {
        "Ice.Admin.Enabled": 1,
        "Ice.Admin.ServerId": "server",
        "Ice.Default.Locator": locator,
    }
    with communicator(properties) as ice:
        another = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
        ice.createAdmin(another, Ice.stringToIdentity("admin"))
        another.activate()
    assert "server" in told, told
