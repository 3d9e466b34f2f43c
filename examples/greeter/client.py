"""Has everybody greeted who is named on the command line, all at once."""

import asyncio
import sys

from icegil import Ice

import VisitorCenter


async def main() -> None:
    async with Ice.Communicator(sys.argv, eventLoop=asyncio.get_running_loop()) as communicator:
        greeter = VisitorCenter.GreeterPrx(communicator, "greeter:tcp -h localhost -p 14061")
        for greeting in await asyncio.gather(*(greeter.greetAsync(name) for name in sys.argv[1:])):
            print(greeting)


asyncio.run(main())
