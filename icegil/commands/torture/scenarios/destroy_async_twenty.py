"""Twenty communicators are destroyed at once, and the program ends.

hazard: twenty completions race with finalization
ends: status 0
needs: asyncio
"""

import asyncio

from _echo import communicator, serve


async def main():
    loop = asyncio.get_running_loop()
    ices = [communicator(loop=loop) for _ in range(20)]
    await asyncio.gather(*[serve(ice).ice_pingAsync() for ice in ices])
    await asyncio.gather(*[ice.destroyAsync() for ice in ices])


asyncio.run(main())
