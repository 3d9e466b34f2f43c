"""A server calls its client back over the connection that the client opened.

hazard: the client is a server too: dispatches come in on what it takes for an outgoing connection
ends: status 0
needs: guard
"""

import Ice
from _echo import Echo, communicator, serve, storm
from _futures import with_futures


class Caller(Echo):
    """Calls back for each request."""

    def ice_invoke(self, arguments, current):
        callback = with_futures(current.con.createProxy(Ice.stringToIdentity("callback")))
        callback.ice_invokeAsync("call back", Ice.OperationMode.Normal, b"").add_done_callback(
            lambda done: print("completed", flush=True)
        )
        return True, arguments


server, client = communicator({"Ice.Warn.Dispatch": 0}), communicator()
proxy = with_futures(client.stringToProxy(str(serve(server, Caller()))))
adapter = client.createObjectAdapter("")
adapter.add(Echo(), Ice.stringToIdentity("callback"))
adapter.activate()
proxy.ice_getConnection().setAdapter(adapter)
pending = storm(proxy, 500)
