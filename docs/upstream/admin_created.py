"""`createAdmin` makes the administrative object, which tells a locator in the same process of itself."""

import Ice


class Registry(Ice.LocatorRegistry):
    def setServerProcessProxy(self, name, proxy, current):
        print("told of", name)

    def setServerProcessProxy_async(self, done, *arguments):  # what Ice 3.6 calls
        self.setServerProcessProxy(*arguments)
        done.ice_response()

    setAdapterDirectProxy = setReplicatedAdapterDirectProxy = setServerProcessProxy


class Locator(Ice.Locator):
    def getRegistry(self, current):
        return registry

    findObjectById = findAdapterById = getRegistry


with Ice.initialize() as here:
    adapter = here.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    registry = Ice.LocatorRegistryPrx.uncheckedCast(adapter.add(Registry(), Ice.stringToIdentity("registry")))
    locator = adapter.add(Locator(), Ice.stringToIdentity("locator"))
    adapter.activate()
    words = ["server", "--Ice.Admin.Enabled=1", "--Ice.Admin.ServerId=server", f"--Ice.Default.Locator={locator}"]
    with Ice.initialize(words) as ice:
        another = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
        ice.createAdmin(another, Ice.stringToIdentity("admin"))
