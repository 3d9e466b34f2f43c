"""Connections are closed with requests on their way, and nobody waits until they are.

hazard: `Connection.close` completes a future on a thread of Ice, in its own time
ends: status 0
needs: asyncio
"""

from _echo import communicator, serve, storm

server, client = communicator(), communicator()
address = str(serve(server))
for number in range(20):
    proxy = client.stringToProxy(address).ice_connectionId(str(number))
    pending = storm(proxy, 50)
    proxy.ice_getConnection().close().add_done_callback(lambda done: print("closed", flush=True))
