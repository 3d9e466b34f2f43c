"""Destroys its communicator while a servant works on."""

import logging
import threading

from icegil import Ice

entered, disk = threading.Event(), threading.Event()


class Station(Ice.Blobject):
    def ice_invoke(self, reading, current):
        entered.set()
        disk.wait(1.5)
        return True, reading


logging.basicConfig()
with Ice.initialize() as communicator:
    adapter = communicator.createObjectAdapterWithEndpoints("station", "tcp -h 127.0.0.1")
    station = adapter.add(Station(), Ice.stringToIdentity("station")).ice_collocationOptimized(False)
    adapter.activate()
    request = station.ice_invokeAsync("store", Ice.OperationMode.Normal, b"")
    entered.wait()
