"""Nobody keeps what `destroyAsync` returns.

hazard: the completion comes whenever it likes, also while Python finalizes
ends: status 0
needs: asyncio
"""

import asyncio

from _echo import communicator, serve


async def main():
    ice = communicator(loop=asyncio.get_running_loop())
    await serve(ice).ice_pingAsync()
    ice.destroyAsync()


asyncio.run(main())
