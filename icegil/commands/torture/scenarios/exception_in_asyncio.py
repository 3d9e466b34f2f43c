r"""`asyncio.run` ends with an exception, and leaves the communicator as it is.

hazard: the crash replaces the exit status, and the traceback drowns in noise
ends: status 1
stderr: Traceback \(most recent call last\):\n.*RuntimeError: the program failed\n
needs: asyncio
"""

import asyncio

from _echo import communicator, serve, storm


async def main():
    ice = communicator(loop=asyncio.get_running_loop())
    pending = storm(serve(ice), 500)
    await pending[0]
    raise RuntimeError("the program failed")


asyncio.run(main())
