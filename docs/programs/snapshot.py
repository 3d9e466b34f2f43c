"""A server that says on SIGUSR1 what it is at."""

import signal
import threading

import icegil
from icegil import Ice

disk = threading.Event()


class Station(Ice.Blobject):
    def ice_invoke(self, reading, current):
        disk.wait()
        return True, reading


def show(*_):
    now = icegil.snapshot()
    print(f"gate {now.gate.state}: {now.gate.admitted} callbacks so far, {now.gate.inside} inside now")
    for each in now.communicators:
        print(f"communicator made at {each.made_at}: {each.state}, {each.age:.1f} s old")
    for each in now.callbacks:
        print(f"thread {each.name}: inside a callback for {each.seconds:.1f} s")
        print(*(call for call in each.stack if __file__ in call), sep="", end="")
    disk.set()


signal.signal(signal.SIGUSR1, show)
with (
    Ice.initialize() as server,
    Ice.initialize() as client,
):
    adapter = server.createObjectAdapterWithEndpoints("station", "tcp -h 127.0.0.1")
    station = client.stringToProxy(str(adapter.add(Station(), Ice.stringToIdentity("station"))))
    adapter.activate()
    request = station.ice_invokeAsync("store", Ice.OperationMode.Normal, b"")
    request.result()
