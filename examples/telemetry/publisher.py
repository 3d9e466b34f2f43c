"""Publishes what stands on stdin, a reading a line: the sensor's name and a number. The end of stdin is the end."""

import sys

from icegil import Ice

import Telemetry
import topics

with Ice.initialize(sys.argv) as communicator:
    publisher = topics.readings(communicator).getPublisher()
    monitors = Telemetry.MonitorPrx.uncheckedCast(publisher)
    for line in sys.stdin:
        sensor, value = line.split()
        monitors.report(Telemetry.Reading(sensor, float(value)))
