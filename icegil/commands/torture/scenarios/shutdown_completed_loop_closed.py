"""The event loop is closed while it waits for `shutdownCompleted`; the shutdown completes afterwards.

hazard: the completion calls a closed loop: a traceback on stderr from an Ice thread
ends: status 0
needs: asyncio
"""

import asyncio

from _echo import communicator, serve


async def main():
    ice = communicator(loop=asyncio.get_running_loop())
    await serve(ice).ice_pingAsync()
    return ice, ice.shutdownCompleted()


loop = asyncio.new_event_loop()
ice, waiting = loop.run_until_complete(main())
loop.close()
ice.shutdown()
ice.waitForShutdown()
