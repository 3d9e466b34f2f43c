"""Closes the event loop that its servant's coroutines need."""

import asyncio
import logging

from icegil import Ice


class Station(Ice.Blobject):
    async def ice_invoke(self, reading, current):
        return True, reading


logging.basicConfig(level=logging.INFO)
loop = asyncio.new_event_loop()
with Ice.initialize(eventLoop=loop) as server, Ice.initialize() as client:
    adapter = server.createObjectAdapterWithEndpoints("station", "tcp -h 127.0.0.1")
    station = client.stringToProxy(str(adapter.add(Station(), Ice.stringToIdentity("station"))))
    adapter.activate()
    loop.close()
    requests = [station.ice_invokeAsync("read", Ice.OperationMode.Normal, b"") for _ in range(1000)]
    print({type(request.exception()).__name__ for request in requests}, "1000 times")
