"""Two hundred connections are being established, half of them to where nobody listens.

hazard: each attempt completes, or fails, in a callback; threads that look up host names are among them
ends: status 0
"""

from _echo import communicator, serve

server, client = communicator(), communicator()
proxy = client.stringToProxy(str(serve(server)))
nobody = client.stringToProxy("nobody:tcp -h 127.0.0.1 -p 1")
for number in range(100):
    for each in (proxy, nobody):
        attempt = each.ice_connectionId(str(number)).ice_getConnectionAsync()
        attempt.add_done_callback(lambda done: print("done", flush=True))
