"""A bot on a Mumble server: hears what happens there, watches it from threads, and leaves as it is told."""

import sys
import threading

import Ice
from _leaving import leave

SLICE = [f"-I{Ice.getSliceDir()}", "/usr/share/slice/Murmur.ice"]

if Ice.intVersion() < 30800:
    Ice.loadSlice("", SLICE)
else:
    Ice.loadSlice(SLICE)

import Murmur  # noqa: E402

SECRET = {"secret": "read and write"}


class Boots(Murmur.MetaCallback):
    def started(self, server, current):
        pass

    def stopped(self, server, current):
        pass


class Happenings(Murmur.ServerCallback):
    def __init__(self):
        self.heard = 0
        self.heard_enough = threading.Event()

    def channelStateChanged(self, channel, current):
        self.heard += 1
        if self.heard >= 20:
            self.heard_enough.set()

    def userConnected(self, user, current):
        pass

    def userDisconnected(self, user, current):
        pass

    def userStateChanged(self, user, current):
        pass

    def userTextMessage(self, user, message, current):
        pass

    def channelCreated(self, channel, current):
        pass

    def channelRemoved(self, channel, current):
        pass


def watch(server):
    """Who is there?"""
    try:
        while True:
            server.getUsers(SECRET)
            server.getChannels(SECRET)
    except Ice.Exception:
        pass


def describe(server):
    """Keeps the description of the first channel up to date."""
    try:
        channel = server.getChannelState(0, SECRET)
        number = 0
        while True:
            number += 1
            channel.description = f"number {number} of its kind"
            server.setChannelState(channel, SECRET)
    except Ice.Exception:
        pass


ice = Ice.initialize(sys.argv)
meta = Murmur.MetaPrx.checkedCast(ice.propertyToProxy("Mumble.Meta"))
adapter = ice.createObjectAdapterWithEndpoints("Bot", "tcp -h 127.0.0.1")
adapter.activate()
boots = Murmur.MetaCallbackPrx.uncheckedCast(adapter.addWithUUID(Boots()))
meta.addCallback(boots, SECRET)
server = meta.getBootedServers(SECRET)[0]
happenings = Happenings()
server.addCallback(Murmur.ServerCallbackPrx.uncheckedCast(adapter.addWithUUID(happenings)), SECRET)
for task in (watch, watch, describe):
    threading.Thread(target=task, args=[server], daemon=True).start()
happenings.heard_enough.wait()
leave(sys.argv[1], ice)
