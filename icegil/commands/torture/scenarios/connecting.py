"""Two hundred connections are being established, half of them to where nobody listens.

hazard: each attempt completes, or fails, in a callback; threads that look up host names are among them
ends: status 0
"""

from _echo import communicator, serve
from _futures import with_futures

server, client = communicator(), communicator()
proxy = with_futures(client.stringToProxy(str(serve(server))))
nobody = with_futures(client.stringToProxy("nobody:tcp -h 127.0.0.1 -p 1"))
for number in range(100):
    for each in (proxy, nobody):
        attempt = each.ice_connectionId(str(number)).ice_getConnectionAsync()
        attempt.add_done_callback(lambda done: print("done", flush=True))
