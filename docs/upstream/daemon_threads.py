"""Daemon threads of Python are in synchronous calls when the interpreter ends."""

import threading

import Ice


class Echo(Ice.Blobject):
    def ice_invoke(self, arguments, current):
        return True, arguments


def work():
    proxy.ice_ping()
    begun.wait()
    while True:
        try:
            proxy.ice_ping()
        except Exception:
            return


ice = Ice.initialize(["server", "--Ice.ThreadPool.Server.Size=2"])
adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
proxy = adapter.add(Echo(), Ice.stringToIdentity("echo")).ice_collocationOptimized(False)
adapter.activate()
begun = threading.Barrier(5)
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
begun.wait()
