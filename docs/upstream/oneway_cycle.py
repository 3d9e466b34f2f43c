"""Oneway requests that are sent at once: how many of their futures are left."""

import gc
import sys
import weakref

import Ice

ENCAPSULATION = bytes([6, 0, 0, 0, 1, 1])


class Echo(Ice.Blobject):
    def ice_invoke(self, arguments, current):
        return True, arguments


with Ice.initialize() as ice:
    adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    proxy = adapter.add(Echo(), Ice.stringToIdentity("echo")).ice_collocationOptimized(False).ice_oneway()
    adapter.activate()
    proxy.ice_ping()
    made = []
    for _ in range(1000):
        future = proxy.ice_invokeAsync("echo", Ice.OperationMode.Normal, ENCAPSULATION)
        future.result()
        made.append(weakref.ref(future))
    del future
    gc.collect()
    alive = sum(each() is not None for each in made)
    print(f"{alive} of {len(made)} futures are left")
sys.exit(alive > 0)
