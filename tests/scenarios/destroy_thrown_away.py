"""What `destroy_async` returns is thrown away.

hazard: the completion comes whenever it likes
ends: status 0
"""

import asyncio

from _echo import communicator, serve

import icegil


async def main():
    ice = communicator()
    serve(ice).ice_ping()
    icegil.destroy_async(ice)
    icegil.destroy_async(ice, timeout=0)


icegil.install()
asyncio.run(main())
