"""A plain thread runs an event loop of its own and destroys the communicator there.

hazard: the loop that waits is not the main thread's, and is closed at once
ends: status 0
"""

import asyncio
import threading

from _echo import communicator, serve, storm

import icegil


async def destroy():
    await icegil.destroy_async(ice)


icegil.install()
ice = communicator()
pending = storm(serve(ice), 50)
thread = threading.Thread(target=lambda: asyncio.run(destroy()))
thread.start()
thread.join()
