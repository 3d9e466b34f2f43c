"""A client on an event loop that keeps some calls under way at once; the server is another process, run as this one is.

Arguments: asyncio or uvloop; how many at once; bytes of the payload, there and back; plain or coroutine, the servant;
how many calls.
"""

import asyncio
import sys

import Ice
from _measured import Meter, OtherEnd, communicator, encapsulation, report


async def main(at_once, size, servant, calls):
    payload = encapsulation(size)
    server = OtherEnd("server.py", servant, same=True)
    async with communicator(loop=asyncio.get_running_loop()) as ice:
        proxy = ice.stringToProxy(server.ask())

        async def work(count):
            for _ in range(count):
                await proxy.ice_invokeAsync("echo", Ice.OperationMode.Normal, payload)

        async def ask(count):
            await asyncio.gather(*[work(max(1, count // at_once)) for _ in range(at_once)])

        await ask(calls // 10)  # connected, and warm
        done = max(1, calls // at_once) * at_once
        with Meter(done) as meter:
            await ask(calls)
    server.end()
    return meter.figures


with asyncio.Runner(loop_factory=__import__("uvloop").new_event_loop if sys.argv[1] == "uvloop" else None) as runner:
    report(runner.run(main(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))))
