"""Asynchronous calls, each answered and its future dropped: how many are left, and how much memory."""

import gc
import resource
import sys
import weakref

import Ice

SIZE = int(sys.argv[1]) if len(sys.argv) > 1 else 0
REPLY = (SIZE + 6).to_bytes(4, "little") + bytes([1, 1]) + bytes(SIZE)


class Servant(Ice.Blobject):
    def ice_invoke(self, arguments, current):
        return True, REPLY


def call(proxy, count):
    made = []
    for _ in range(count):
        future = proxy.ice_invokeAsync("echo", Ice.OperationMode.Normal, bytes([6, 0, 0, 0, 1, 1]))
        future.result()
        made.append(weakref.ref(future))
    return made


with Ice.initialize() as ice:
    adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    proxy = adapter.add(Servant(), Ice.stringToIdentity("echo")).ice_collocationOptimized(False)
    adapter.activate()
    call(proxy, 200)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    made = call(proxy, 2000)
    gc.collect()
    kept = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / len(made)
    alive = sum(each() is not None for each in made)
    print(f"{alive} of {len(made)} futures are left; {kept:.0f} bytes a call")
sys.exit(alive > 0)
