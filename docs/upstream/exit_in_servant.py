"""A servant ends the program; the main thread waits for it to."""

import sys
import threading

import Ice

ENCAPSULATION = bytes([6, 0, 0, 0, 1, 1])


class Servant(Ice.Blobject):
    def ice_invoke(self, arguments, current):
        sys.exit(0)


ice = Ice.initialize()
adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
proxy = adapter.add(Servant(), Ice.stringToIdentity("servant")).ice_collocationOptimized(False).ice_oneway()
adapter.activate()
proxy.ice_invoke("exit", Ice.OperationMode.Normal, ENCAPSULATION)
threading.Event().wait()
