"""The topic of the readings, which whoever comes first creates."""

import IceStorm
from icegil import Ice


def readings(communicator: Ice.Communicator) -> IceStorm.TopicPrx:
    manager = IceStorm.TopicManagerPrx.checkedCast(communicator.propertyToProxy("TopicManager.Proxy"))
    try:
        return manager.create("readings")
    except IceStorm.TopicExists:
        return manager.retrieve("readings")
