"""A task is cancelled while it waits for requests, and the loop is closed.

hazard: the cancellation reaches the requests, and so do their answers, on a thread of Ice
ends: status 0
needs: asyncio
"""

import asyncio

from _echo import communicator, serve, storm


async def work(ice):
    await asyncio.gather(*storm(serve(ice), 200))


async def main():
    ice = communicator(loop=asyncio.get_running_loop())
    task = asyncio.create_task(work(ice))
    await asyncio.sleep(0)  # for it to begin
    task.cancel()


asyncio.run(main())
