"""Datagrams are on their way, each with a *sent* callback, and a servant that takes them.

hazard: there is no connection to wait for: what has been sent arrives when it likes
ends: status 0
"""

import Ice
from _echo import Echo, communicator, serve
from _futures import with_futures


class Servant(Echo):
    def ice_invoke(self, arguments, current):
        print("taken", flush=True)
        return True, b""


server, client = communicator(), communicator()
address = str(serve(server, Servant(), "udp -h 127.0.0.1").ice_datagram())
proxy = with_futures(client.stringToProxy(address))
for _ in range(1000):
    proxy.ice_invokeAsync("take", Ice.OperationMode.Normal, b"").add_sent_callback(lambda *sent: None)
