"""`async with` a communicator, answers still on their way, and the end.

hazard: the end of the block is `destroyAsync`, with the completions of the pending requests around it
ends: status 0
needs: asyncio
"""

import asyncio

from _echo import communicator, serve, storm


async def main():
    async with communicator(loop=asyncio.get_running_loop()) as ice:
        pending = storm(serve(ice), 50)
        for future in pending:
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
        await pending[0]


asyncio.run(main())
