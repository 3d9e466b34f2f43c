"""Subscribes to prices at IceStorm, and leaves as it is told."""

import sys

import Ice
import IceStorm
from _leaving import leave
from _prices import Listener

ice = Ice.initialize(sys.argv)
manager = IceStorm.TopicManagerPrx.checkedCast(ice.propertyToProxy("Market.Topics"))
topic = manager.retrieve("prices")
adapter = ice.createObjectAdapterWithEndpoints("Listener", "tcp -h 127.0.0.1")
listener = Listener()
proxy = adapter.addWithUUID(listener)
adapter.activate()
topic.subscribeAndGetPublisher({}, proxy)
listener.heard_enough.wait()

how = sys.argv[1]
if how == "unsubscribed":
    topic.unsubscribe(proxy)
leave(how, ice)
