"""A bot on a Mumble server: says welcome to who comes, and answers `!who` and `!uptime`."""

import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

from icegil import Ice

import Murmur

Event = Callable[[], None]


class Watch(Murmur.ServerCallback):
    """Passes on what the server tells.

    The server waits for each of these methods, and answers nobody meanwhile: who called it from here would wait for it,
    and it for them.
    """

    def __init__(self, events: "SimpleQueue[Event | None]", bot: "Bot") -> None:
        self._events = events
        self._bot = bot

    def userConnected(self, user: Murmur.User, current: Ice.Current) -> None:
        self._events.put(lambda: self._bot.welcome(user))

    def userTextMessage(self, user: Murmur.User, message: Murmur.TextMessage, current: Ice.Current) -> None:
        self._events.put(lambda: self._bot.answer(user, message.text))

    def userDisconnected(self, user: Murmur.User, current: Ice.Current) -> None:
        pass

    def userStateChanged(self, user: Murmur.User, current: Ice.Current) -> None:
        pass

    def channelCreated(self, channel: Murmur.Channel, current: Ice.Current) -> None:
        pass

    def channelRemoved(self, channel: Murmur.Channel, current: Ice.Current) -> None:
        pass

    def channelStateChanged(self, channel: Murmur.Channel, current: Ice.Current) -> None:
        pass


class Bot:
    """What it does on one virtual server; on the main thread."""

    def __init__(self, server: Murmur.ServerPrx) -> None:
        self._server = server
        self._commands = {"!who": self._who, "!uptime": self._uptime}

    def welcome(self, user: Murmur.User) -> None:
        self._say(user, f"Welcome, {user.name}! I know {' and '.join(self._commands)}.")

    def answer(self, user: Murmur.User, text: str) -> None:
        if text in self._commands:
            self._say(user, self._commands[text]())

    def _who(self) -> str:
        return ", ".join(sorted(user.name for user in self._server.getUsers().values()))

    def _uptime(self) -> str:
        return f"{self._server.getUptime()} seconds"

    def _say(self, user: Murmur.User, text: str) -> None:
        with suppress(Murmur.InvalidSessionException):  # gone again
            self._server.sendMessage(user.session, text)


def main(communicator: Ice.Communicator) -> None:
    events: SimpleQueue[Event | None] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: events.put(None))
    communicator.getImplicitContext().put("secret", communicator.getProperties().getProperty("Murmur.Secret"))
    meta = Murmur.MetaPrx.checkedCast(communicator.propertyToProxy("Murmur.Proxy"))
    server = meta.getBootedServers()[0]

    adapter = communicator.createObjectAdapter("Bot")
    watch = Murmur.ServerCallbackPrx.uncheckedCast(adapter.addWithUUID(Watch(events, Bot(server))))
    adapter.activate()
    server.addCallback(watch)
    print("the bot is there", flush=True)
    for event in iter(events.get, None):
        event()
    server.removeCallback(watch)


with Ice.initialize(sys.argv) as communicator:
    main(communicator)
