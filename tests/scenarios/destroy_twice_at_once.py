"""Two tasks and a thread destroy the same communicator at once.

hazard: two completions for one destruction
ends: status 0
"""

import asyncio
import threading

from _echo import communicator, serve

import icegil


async def main():
    ice = communicator()
    serve(ice).ice_ping()
    thread = threading.Thread(target=icegil.destroy, args=(ice,))
    thread.start()
    await asyncio.gather(icegil.destroy_async(ice), icegil.destroy_async(ice))
    await icegil.destroy_async(ice)
    thread.join()


icegil.install()
asyncio.run(main())
