"""A weather station that holds its own shutdown up: one request waits for a disk that never answers."""

import threading

import Ice

entered, disk = threading.Event(), threading.Event()


class Station(Ice.Blobject):
    def ice_invoke(self, reading, current):
        if current.operation == "store":
            entered.set()
            disk.wait()
        return True, reading


server = Ice.initialize(["--Ice.ThreadPool.Server.Size=3"])
adapter = server.createObjectAdapterWithEndpoints("station", "tcp -h 127.0.0.1")
proxy = adapter.add(Station(), Ice.stringToIdentity("station"))
adapter.activate()

client = Ice.initialize()
station = client.stringToProxy(str(proxy))
requests = [station.ice_invokeAsync("read", Ice.OperationMode.Normal, b"") for _ in range(8000)]
for request in requests:
    request.result()
request = station.ice_invokeAsync("store", Ice.OperationMode.Normal, b"")
entered.wait()
