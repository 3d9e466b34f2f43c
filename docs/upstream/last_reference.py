"""The last proxy of a communicator is dropped while its asynchronous destruction completes. Ice 3.8 only."""

import threading

import Ice


class Echo(Ice.Blobject):
    def ice_invoke(self, arguments, current):
        return True, arguments


def complete(future):
    completing.set()
    for _ in range(1000):
        print("completing", flush=True)


for _ in range(10):
    completing = threading.Event()
    ice = Ice.initialize()
    adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    last = adapter.add(Echo(), Ice.stringToIdentity("echo"))
    adapter.activate()
    destroyed = ice.destroyAsync()
    destroyed.add_done_callback(complete)
    del ice, adapter
    completing.wait()
    del last
