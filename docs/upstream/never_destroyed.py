"""A server whose communicator is never destroyed; nothing is on its way any more."""

import Ice

ENCAPSULATION = bytes([6, 0, 0, 0, 1, 1])


class Echo(Ice.Blobject):
    def ice_invoke(self, arguments, current):
        return True, arguments


ice = Ice.initialize()
adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
proxy = adapter.add(Echo(), Ice.stringToIdentity("echo")).ice_collocationOptimized(False)
adapter.activate()
proxy.ice_invoke("echo", Ice.OperationMode.Normal, ENCAPSULATION)
