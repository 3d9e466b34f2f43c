"""The last reference to a communicator goes with the interpreter, while answers are on their way."""

import Ice

ENCAPSULATION = bytes([6, 0, 0, 0, 1, 1])


class Echo(Ice.Blobject):
    def ice_invoke(self, arguments, current):
        return True, arguments


ice = Ice.initialize()
adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
proxy = adapter.add(Echo(), Ice.stringToIdentity("echo")).ice_collocationOptimized(False)
adapter.activate()
futures = [proxy.ice_invokeAsync("echo", Ice.OperationMode.Normal, ENCAPSULATION) for _ in range(1000)]
futures[0].result()
