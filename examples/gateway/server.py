"""A warehouse that speaks Ice: the service behind the gateway."""

import signal
import sys
import threading

from icegil import Ice

import Warehouse


class Stock(Warehouse.Stock):
    def __init__(self, counts: dict[str, int]) -> None:
        self._counts = counts
        self._lock = threading.Lock()

    def find(self, name: str, current: Ice.Current) -> Warehouse.Item:
        try:
            return Warehouse.Item(name, self._counts[name])
        except KeyError:
            raise Warehouse.UnknownItem(name) from None

    def take(self, name: str, count: int, current: Ice.Current) -> Warehouse.Item:
        with self._lock:
            item = self.find(name, current)
            if item.count < count:
                raise Warehouse.NotEnough(item.count)
            item.count -= count
            self._counts[name] = item.count
            return item


with Ice.initialize(sys.argv) as communicator:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: communicator.shutdown())
    adapter = communicator.createObjectAdapterWithEndpoints("Stock", "tcp -h localhost -p 14061")
    adapter.add(Stock({"bolt": 500, "nut": 20}), Ice.stringToIdentity("stock"))
    adapter.activate()
    print("the warehouse is ready", flush=True)
    communicator.waitForShutdown()
