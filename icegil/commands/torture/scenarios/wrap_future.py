"""A program waits with asyncio for a communicator that knows nothing of it; not all of its answers are there.

hazard: completions go to a loop that is closed: a traceback on stderr for each
ends: status 0
needs: Future
"""

import asyncio

import Ice
from _echo import communicator, serve, storm


async def main():
    pending = [Ice.wrap_future(future) for future in storm(proxy, 500)]
    await pending[20]


ice = communicator()
proxy = serve(ice)
asyncio.run(main())
