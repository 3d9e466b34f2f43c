"""What a thread of Ice keeps in a `threading.local` calls Ice when the thread state goes."""

import contextlib
import threading

import Ice

ENCAPSULATION = bytes([6, 0, 0, 0, 1, 1])


class Session:
    def __del__(self):
        with contextlib.suppress(Exception):
            proxy.ice_pingAsync()


class Opens(Ice.Blobject):
    def ice_invoke(self, arguments, current):
        if current.operation == "open":
            kept.session = Session()
        return True, arguments


kept = threading.local()
with Ice.initialize() as ice:
    adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    proxy = adapter.add(Opens(), Ice.stringToIdentity("opens")).ice_collocationOptimized(False)
    adapter.activate()
    for _ in range(10):
        proxy.ice_invoke("open", Ice.OperationMode.Normal, ENCAPSULATION)
