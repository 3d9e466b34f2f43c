"""Twenty connections are closed by the server as the program ends, each with a close callback.

hazard: the close callbacks come when nobody expects anything any more, and drop references as they go
ends: status 0
needs: Future
"""

from _echo import communicator, serve

server, client = communicator(), communicator()
address = str(serve(server))
for number in range(20):
    proxy = client.stringToProxy(address).ice_connectionId(str(number))
    proxy.ice_getConnection().setCloseCallback(lambda connection: print("closed", flush=True))
server.shutdown()
