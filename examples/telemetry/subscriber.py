"""Prints the readings as they are published: all of them, or those of the sensors that are named."""

import signal
import sys
import uuid

from icegil import Ice

import Telemetry
import topics


class Monitor(Telemetry.Monitor):
    def __init__(self, sensors: list[str]) -> None:
        self._sensors = sensors
        self._title = " ".join(sensors) or "all"

    def report(self, reading: Telemetry.Reading, current: Ice.Current) -> None:
        if not self._sensors or reading.sensor in self._sensors:
            print(f"[{self._title}] {reading.sensor} {reading.value:g}", flush=True)


with Ice.initialize(sys.argv) as communicator:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: communicator.shutdown())
    sensors = sys.argv[1:]
    adapter = communicator.createObjectAdapter("Monitor")
    monitor = adapter.add(Monitor(sensors), Ice.Identity(str(uuid.uuid4()), "monitor"))
    adapter.activate()
    topic = topics.readings(communicator)
    topic.subscribeAndGetPublisher({"reliability": "ordered"}, monitor)
    print(f"[{' '.join(sensors) or 'all'}] subscribed", flush=True)
    communicator.waitForShutdown()
    topic.unsubscribe(monitor)
