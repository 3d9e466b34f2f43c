"""Coroutine dispatches wait for a loop that is closed.

hazard: they never end, and the destruction waits for them
ends: status 0
within: 4
needs: asyncio
"""

import asyncio

import Ice
from _echo import Echo, communicator, serve

loop = asyncio.new_event_loop()
entered = asyncio.Event()


class Late(Echo):
    async def ice_invoke(self, arguments, current):
        entered.set()
        await asyncio.Event().wait()
        return True, arguments


async def main():
    client = communicator()
    proxy = client.stringToProxy(str(serve(ice, Late())))
    calls = [proxy.ice_invokeAsync("late", Ice.OperationMode.Normal, b"") for _ in range(3)]
    await entered.wait()
    return client, calls


ice = communicator({"Ice.Warn.Dispatch": 0}, loop=loop)
client, calls = loop.run_until_complete(main())
loop.close()
for _ in range(3):  # and some that come when it is closed
    calls.append(
        calls and client.stringToProxy(str(serve(ice, Late()))).ice_invokeAsync("x", Ice.OperationMode.Normal, b"")
    )
