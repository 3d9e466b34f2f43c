"""The classic server: the main thread waits for the shutdown that a request asks for, and returns.

hazard: the request is still being answered, and others with it, when the main thread is past its end
ends: status 0
"""

import Ice
from _echo import Echo, communicator, serve, storm
from _futures import with_futures


class Servant(Echo):
    def ice_invoke(self, arguments, current):
        if current.operation == "shutdown":
            current.adapter.getCommunicator().shutdown()
        print(current.operation, flush=True)
        return True, arguments


client, ice = communicator(), communicator({"Ice.ThreadPool.Server.Size": 4})
proxy = with_futures(client.stringToProxy(str(serve(ice, Servant()))))
pending = storm(proxy, 100)
pending.append(proxy.ice_invokeAsync("shutdown", Ice.OperationMode.Normal, b""))
pending += storm(proxy, 100)
ice.waitForShutdown()
