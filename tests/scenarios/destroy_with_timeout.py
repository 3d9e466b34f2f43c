"""A destruction takes longer than its timeout; it goes on, and ends at exit.

hazard: the completion finds nobody
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
    ice = communicator()
    call = serve(ice, Slow()).ice_invokeAsync("slow", icegil.Ice.OperationMode.Normal, b"")
    await asyncio.to_thread(entered.wait)
    for _ in range(2):
        try:
            await icegil.destroy_async(ice, timeout=0.01)
        except TimeoutError as error:
            assert "_echo.py:" in str(error), error
        else:
            raise AssertionError("destroyed while a dispatch was running")
    try:
        icegil.destroy(ice, timeout=0)
    except TimeoutError:
        pass
    else:
        raise AssertionError("destroyed while a dispatch was running")
    may_go.set()
    del call


icegil.install()
asyncio.run(main())
