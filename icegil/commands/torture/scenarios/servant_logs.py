r"""Servants log for ever, through a handler that sends each record over Ice.

hazard: the threads of Ice are stopped in their calls with the handler's lock in hand, for which `logging.shutdown` waits
ends: status 3
stderr: (.*not everything ended within 1 s of shutdown.*)?
within: 8
drain: 1
needs: guard
"""

import logging
import sys
import threading

import Ice
from _echo import Echo, communicator, serve
from _log import OverIce

has_begun = threading.Event()


class Logs(Echo):
    def ice_invoke(self, arguments, current):
        while True:
            logging.warning("tick")
            if handler.delivered > 100:
                has_begun.set()


server, client = communicator({"Ice.ThreadPool.Server.Size": 3}), communicator()
handler = OverIce(client.stringToProxy(str(serve(client))), Ice.LocalException)
logging.getLogger().addHandler(handler)
proxy = serve(server, Logs()).ice_oneway()
for _ in range(3):
    proxy.ice_invoke("log", Ice.OperationMode.Normal, b"")
has_begun.wait()
sys.exit(3)
