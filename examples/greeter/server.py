"""Greets visitors: a servant whose operation is a coroutine, on the event loop of asyncio."""

import asyncio
import signal
import sys

from icegil import Ice

import VisitorCenter


class Chatbot(VisitorCenter.Greeter):
    async def greet(self, name: str, current: Ice.Current) -> str:
        await asyncio.sleep(0.1)  # other visitors are greeted meanwhile
        return f"Hello, {name}!"


async def main() -> None:
    loop = asyncio.get_running_loop()
    async with Ice.Communicator(sys.argv, eventLoop=loop) as communicator:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, communicator.shutdown)
        adapter = communicator.createObjectAdapterWithEndpoints("Greeter", "tcp -h localhost -p 14061")
        adapter.add(Chatbot(), Ice.stringToIdentity("greeter"))
        adapter.activate()
        print("the greeter is ready", flush=True)
        await communicator.shutdownCompleted()


asyncio.run(main())
