"""One task waits for the shutdown, another shuts down and destroys.

hazard: the completion of the shutdown comes as the loop ends
ends: status 0
"""

import asyncio

from _echo import communicator, serve

import icegil


async def main():
    ice = communicator()
    serve(ice).ice_ping()
    waiting = asyncio.gather(icegil.shutdown_completed(ice), icegil.shutdown_completed(ice))
    await asyncio.sleep(0)
    assert not waiting.done()
    ice.shutdown()
    await waiting
    icegil.shutdown_completed(ice)
    await icegil.destroy_async(ice)
    await icegil.shutdown_completed(ice)


icegil.install()
asyncio.run(main())
