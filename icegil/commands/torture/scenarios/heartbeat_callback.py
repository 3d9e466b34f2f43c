"""A connection has a heartbeat callback, and a heartbeat comes with each answer.

hazard: the callback is called on a thread of Ice for as long as the connection is there
ends: status 0
needs: ConnectionClose ACMHeartbeat
"""

from _echo import Echo, communicator, serve, storm


class Servant(Echo):
    def ice_invoke(self, arguments, current):
        current.con.heartbeat()
        return True, arguments


server, client = communicator({"Ice.Warn.Dispatch": 0}), communicator()
proxy = client.stringToProxy(str(serve(server, Servant())))
proxy.ice_getConnection().setHeartbeatCallback(lambda connection: print("heartbeat", flush=True))
pending = storm(proxy, 500)
