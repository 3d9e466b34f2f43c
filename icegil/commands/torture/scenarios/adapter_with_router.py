"""An object adapter is made whose properties name a router in the same process.

hazard: who makes it waits with the GIL in hand for the answer of the router, which is in Python
ends: status 0
needs: guard Future
within: 8
"""

import Ice
from _echo import Echo, communicator

# Ice 3.6 stands still here by itself: it asks the router with a lock in hand that it needs for that.


class Router(Ice.Router):
    def getClientProxy(self, current):
        asked.append("client")
        return proxy, False  # and whether it has a routing table, in some versions

    def getServerProxy(self, current):
        asked.append("server")
        return proxy

    def addProxies(self, proxies, current):
        return []


asked = []
with communicator() as here:
    adapter = here.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    proxy = adapter.add(Echo(), Ice.stringToIdentity("echo"))
    router = adapter.add(Router(), Ice.stringToIdentity("router"))
    adapter.activate()
    with communicator({"Routed.Router": router}) as ice:
        ice.createObjectAdapter("Routed").activate()
assert "server" in asked, asked
