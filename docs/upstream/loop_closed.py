"""The event loop is closed while requests of its communicator are on their way. Ice 3.8 only."""

import asyncio

import Ice

ENCAPSULATION = bytes([6, 0, 0, 0, 1, 1])


class Echo(Ice.Blobject):
    def ice_invoke(self, arguments, current):
        return True, arguments


loop = asyncio.new_event_loop()
with Ice.initialize(eventLoop=loop) as ice:
    adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    proxy = adapter.add(Echo(), Ice.stringToIdentity("echo")).ice_collocationOptimized(False)
    adapter.activate()
    futures = [proxy.ice_invokeAsync("echo", Ice.OperationMode.Normal, ENCAPSULATION) for _ in range(300)]
    loop.run_until_complete(futures[20])
    loop.close()
