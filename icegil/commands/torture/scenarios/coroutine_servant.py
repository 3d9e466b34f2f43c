"""Coroutines answer the requests of a communicator with an event loop, and half of them are not done yet.

hazard: their answers are given by the loop's thread, which is about to finalize Python
ends: status 0
needs: asyncio
"""

import asyncio

import Ice
from _echo import Echo, communicator, serve, storm


class Servant(Echo):
    async def ice_invoke(self, arguments, current):
        await asyncio.sleep(0)
        return True, arguments


async def main():
    ice = communicator({"Ice.Warn.Dispatch": 0}, loop=asyncio.get_running_loop())
    pending = storm(client.stringToProxy(str(serve(ice, Servant()))), 200)
    await Ice.wrap_future(pending[100])


client = communicator()
asyncio.run(main())
