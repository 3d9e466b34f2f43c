"""A servant has its own communicator destroyed, and the program ends.

hazard: the destruction waits for the dispatch that began it
ends: status 0
"""

import asyncio

from _echo import Echo, communicator, serve

import icegil


async def main():
    loop = asyncio.get_running_loop()
    destroyed = loop.create_future()

    async def destroy():
        await icegil.destroy_async(ice)
        destroyed.set_result(None)

    class Suicidal(Echo):
        def ice_invoke(self, arguments, current):
            asyncio.run_coroutine_threadsafe(destroy(), loop)
            return True, arguments

    ice = communicator()
    serve(ice, Suicidal()).ice_oneway().ice_invoke("die", icegil.Ice.OperationMode.Normal, b"")
    await destroyed


icegil.install()
asyncio.run(main())
