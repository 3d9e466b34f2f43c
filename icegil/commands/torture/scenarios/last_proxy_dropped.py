"""The main thread drops the last proxy while the destruction completes.

hazard: the last reference destroys the runtime's instance, which joins threads that want the GIL
ends: status 0
needs: asyncio
"""

import asyncio

from _echo import communicator, serve


async def main():
    for _ in range(5):
        ice = communicator()
        proxy = serve(ice)
        proxy.ice_ping()
        destroyed = ice.destroyAsync()
        del ice, proxy
        await asyncio.sleep(0)
        del destroyed


asyncio.run(main())
