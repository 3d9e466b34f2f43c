"""The classic on uvloop: destroy, and straight to the end.

hazard: uvloop wakes its loop through a handle that Python destroys early
ends: status 0
"""

import uvloop
from _echo import communicator, serve, storm

import icegil


async def main():
    ice = communicator()
    pending = storm(serve(ice), 50)
    await icegil.destroy_async(ice)
    del pending


icegil.install()
uvloop.run(main())
