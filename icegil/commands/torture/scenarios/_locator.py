"""A locator in the process that asks it."""

import Ice


class Registry(Ice.LocatorRegistry):
    """Notes by which names it is told of adapters and servers."""

    def __init__(self):
        super().__init__()
        self.told = []

    def setAdapterDirectProxy(self, name, proxy, current):
        self.told.append(name)

    def setReplicatedAdapterDirectProxy(self, name, group, proxy, current):
        self.told.append(name)

    def setServerProcessProxy(self, name, proxy, current):
        self.told.append(name)

    def setServerProcessProxy_async(self, answer, name, proxy, current):  # as Ice 3.6 wants it
        self.told.append(name)
        answer.ice_response()

    def setAdapterDirectProxy_async(self, answer, name, proxy, current):
        self.told.append(name)
        answer.ice_response()


class Locator(Ice.Locator):
    """Has a registry, and finds nothing."""

    def __init__(self, registry):
        super().__init__()
        self.registry = registry

    def getRegistry(self, current):
        return self.registry

    def findObjectById(self, identity, current):
        return None

    def findAdapterById(self, name, current):
        return None


def serve_locator(ice):
    """Serves both on an adapter of their own; the locator's proxy, and the list of what the registry is told."""
    adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    registry = Registry()
    made = Ice.LocatorRegistryPrx.uncheckedCast(adapter.add(registry, Ice.stringToIdentity("registry")))
    locator = adapter.add(Locator(made), Ice.stringToIdentity("locator"))
    adapter.activate()
    return locator, registry.told
