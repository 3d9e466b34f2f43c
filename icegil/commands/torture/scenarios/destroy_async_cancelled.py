"""The wait for `destroyAsync` is cancelled, and the program ends.

hazard: the destruction goes on behind the program's back and completes while Python finalizes
ends: status 0
needs: asyncio
"""

import asyncio

from _echo import communicator, serve


async def main():
    ice = communicator(loop=asyncio.get_running_loop())
    await serve(ice).ice_pingAsync()
    waiting = ice.destroyAsync()
    waiting.cancel()
    try:
        await waiting
    except asyncio.CancelledError:
        pass


asyncio.run(main())
