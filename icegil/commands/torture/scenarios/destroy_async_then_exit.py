"""The asyncio classic: `await destroyAsync()` and straight to the end.

hazard: its completion lets the GIL go in `call_soon_threadsafe`; the main thread finalizes in that moment
ends: status 0
needs: asyncio
"""

import asyncio

from _echo import communicator, serve


async def main():
    ice = communicator(loop=asyncio.get_running_loop())
    proxy = serve(ice)
    await proxy.ice_pingAsync()
    await ice.destroyAsync()


asyncio.run(main())
