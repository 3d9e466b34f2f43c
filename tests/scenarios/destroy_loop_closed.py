"""The loop that waits in `destroy_async` is closed before the destruction ends.

hazard: the completion calls a closed loop
ends: status 0
"""

import asyncio
import threading

from _echo import Echo, communicator, serve

import icegil

entered, may_go = threading.Event(), threading.Event()


class Slow(Echo):
    def ice_invoke(self, arguments, current):
        entered.set()
        may_go.wait()
        return True, arguments


async def main():
    icegil.destroy_async(ice)


icegil.install()
ice = communicator()
call = serve(ice, Slow()).ice_invokeAsync("slow", icegil.Ice.OperationMode.Normal, b"")
entered.wait()
loop = asyncio.new_event_loop()
loop.run_until_complete(main())
loop.close()
may_go.set()
icegil.destroy(ice)
assert icegil.status().gate.dropped == 1, icegil.status()
