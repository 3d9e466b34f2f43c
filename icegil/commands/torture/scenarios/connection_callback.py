"""Connections have a callback object, and are closed as the program ends.

hazard: the thread that closes a connection calls into Python while Python finalizes
ends: status 3
needs: ConnectionCallback
"""

import sys

import Ice
from _echo import communicator, serve


class Watch(Ice.ConnectionCallback):
    def heartbeat(self, connection):
        print("heartbeat", flush=True)

    def closed(self, connection):
        print("closed", flush=True)


beating = {"Ice.ACM.Heartbeat": 3, "Ice.ACM.Timeout": 1}
server, client = communicator(beating), communicator(beating)
proxy = client.stringToProxy(str(serve(server)))
for number in range(20):
    proxy.ice_connectionId(str(number)).ice_getConnection().setCallback(Watch())
sys.exit(3)
