"""Coroutines answer requests without an event loop: each waits for a request of its own.

hazard: their second half runs in a completion callback, and so does their answer
ends: status 0
needs: Future
"""

from _echo import Echo, communicator, serve, storm


class Servant(Echo):
    async def ice_invoke(self, arguments, current):
        await echo.ice_pingAsync()
        print("answering", flush=True)
        return True, arguments


backend, ice, client = communicator(), communicator({"Ice.Warn.Dispatch": 0}), communicator()
echo = ice.stringToProxy(str(serve(backend)))
pending = storm(client.stringToProxy(str(serve(ice, Servant()))), 200)
