"""A weather station and the program that watches it, both ends in one process, on nothing but Ice.

It ends as many programs do: the work is done, ``main`` returns, and a few answers are still on their way. Nobody
destroys the communicator, so its threads are alive, and calling into Python, while the interpreter takes itself apart.
"""

import asyncio
import random
import struct
import sys

import Ice

WANTED = 300
IN_FLIGHT = 8

# What travels: the header of an Ice encapsulation (its size, encoding 1.1) and one double. With a Slice compiler this
# would be generated; written out, the program needs nothing but the Ice module.
READING = struct.Struct("<iBBd")


class Station(Ice.Blobject):
    """Answers every request with the temperature of the moment."""

    def ice_invoke(self, bytes: bytes, current: Ice.Current) -> tuple[bool, bytes]:
        return True, READING.pack(READING.size, 1, 1, random.gauss(20.0, 2.0))


class Watcher:
    """Keeps a number of requests in flight: whenever one is answered, it sends the next."""

    def __init__(self, station: Ice.ObjectPrx) -> None:
        self.readings: list[float] = []
        self._station = station
        self._loop = asyncio.get_running_loop()
        self._enough = asyncio.Event()

    async def watch(self) -> None:
        for _ in range(IN_FLIGHT):
            self._ask()
        await self._enough.wait()

    def _ask(self) -> None:
        try:
            request = self._station.ice_invokeAsync("read", Ice.OperationMode.Idempotent, b"")
        except Ice.CommunicatorDestroyedException:
            return
        request.add_done_callback(self._answered)

    def _answered(self, request: Ice.Future) -> None:
        # Runs on the one thread of the client's pool, so the list needs no lock.
        if request.exception() is not None:
            return
        _, payload = request.result()
        self.readings.append(READING.unpack(payload)[-1])
        if len(self.readings) == WANTED:
            self._loop.call_soon_threadsafe(self._enough.set)
        self._ask()


async def main() -> None:
    communicator = Ice.initialize(sys.argv)
    adapter = communicator.createObjectAdapterWithEndpoints("weather", "tcp -h 127.0.0.1")
    station = adapter.add(Station(), Ice.stringToIdentity("station"))
    adapter.activate()

    # Both ends share a communicator: without this, Ice would call the servant directly and skip the network.
    watcher = Watcher(station.ice_collocationOptimized(False))
    await watcher.watch()
    print(f"{WANTED} readings, {sum(watcher.readings) / len(watcher.readings):.1f} degrees on average")


asyncio.run(main())
