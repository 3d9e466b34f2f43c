"""The event loop is closed before `destroyAsync` completes.

hazard: the completion calls a closed loop: a traceback on stderr from an Ice thread
ends: status 0
needs: asyncio
"""

import asyncio
import threading

import Ice
from _echo import Echo, communicator, serve

entered, may_go = threading.Event(), threading.Event()


class Slow(Echo):
    """Holds the destruction up until the loop is closed."""

    def ice_invoke(self, arguments, current):
        entered.set()
        may_go.wait()
        return True, arguments


loop = asyncio.new_event_loop()
ice = communicator(loop=loop)
proxy = serve(ice, Slow())


async def main():
    call = proxy.ice_invokeAsync("slow", Ice.OperationMode.Normal, b"")
    await asyncio.get_running_loop().run_in_executor(None, entered.wait)
    return call, ice.destroyAsync()


kept = loop.run_until_complete(main())
loop.run_until_complete(loop.shutdown_default_executor())
loop.close()
may_go.set()
