"""Publishes prices through IceStorm until it is told to leave."""

import random
import signal
import sys

import Ice
import IceStorm
from _prices import ListenerPrx

with Ice.initialize(sys.argv) as ice:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    manager = IceStorm.TopicManagerPrx.checkedCast(ice.propertyToProxy("Market.Topics"))
    topic = manager.create("prices")
    publisher = ListenerPrx.uncheckedCast(topic.getPublisher())
    publisher.changed("ICE", 50.0)
    print("published", flush=True)
    while True:
        publisher.changed("ICE", random.uniform(1, 100))
