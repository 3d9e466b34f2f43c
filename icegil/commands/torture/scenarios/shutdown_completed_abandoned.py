"""A task waits for `shutdownCompleted`; the shutdown begins, and the program ends.

hazard: it completes on a thread of Ice, on a loop that is closed or is being closed
ends: status 0
needs: asyncio
"""

import asyncio

from _echo import communicator, serve


async def wait(ice):
    await ice.shutdownCompleted()


async def main():
    ice = communicator(loop=asyncio.get_running_loop())
    await serve(ice).ice_pingAsync()
    task = asyncio.create_task(wait(ice))
    await asyncio.sleep(0)  # for it to begin
    ice.shutdown()
    return task


asyncio.run(main())
