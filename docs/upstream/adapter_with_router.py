"""An object adapter is made whose properties name a router in the same process."""

import Ice


class Router(Ice.Router):
    def getClientProxy(self, current):
        return (proxy, False) if Ice.intVersion() >= 30700 else proxy

    def getServerProxy(self, current):
        print("asked")
        return proxy

    def addProxies(self, proxies, current):
        return []


with Ice.initialize() as here:
    adapter = here.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    proxy = adapter.add(Router(), Ice.stringToIdentity("echo"))
    router = adapter.add(Router(), Ice.stringToIdentity("router"))
    adapter.activate()
    with Ice.initialize() as ice:
        ice.getProperties().setProperty("Routed.Router", str(router))
        ice.createObjectAdapter("Routed")
