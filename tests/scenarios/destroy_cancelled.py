"""The wait for `destroy_async` is cancelled; the destruction goes on, and the program ends at once.

hazard: the completion comes while Python finalizes
ends: status 0
"""

import asyncio

from _echo import communicator, serve

import icegil


async def main():
    ice = communicator()
    serve(ice).ice_ping()
    task = asyncio.create_task(icegil.destroy_async(ice))
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass


icegil.install()
asyncio.run(main())
