"""A client on an event loop that keeps some calls under way at once; the server is another process, run as this one is.

Arguments: asyncio or uvloop; how many at once; bytes of the payload, there and back; plain or coroutine, the servant;
how many calls.
"""

import asyncio
import sys

import Ice
from _measured import OtherEnd, communicator, encapsulation, runner
from _meter import at_once, report


async def main(count, size, servant, calls):
    payload = encapsulation(size)
    server = OtherEnd("server.py", servant, same=True)
    async with communicator(loop=asyncio.get_running_loop()) as ice:
        proxy = ice.stringToProxy(server.ask())
        normal = Ice.OperationMode.Normal
        figures = await at_once(lambda: proxy.ice_invokeAsync("echo", normal, payload), count, calls)
    server.end()
    return figures


with runner(sys.argv[1]) as loop:
    report(loop.run(main(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))))
