"""The logger of the whole process is in Python, and two communicators use it to the last.

hazard: it is nobody's in particular: Ice calls it for what happens after the communicators, too
ends: status 0
"""

import threading

import Ice
from _echo import communicator, serve
from _logger import TRACING, Logger

Ice.setProcessLogger(Logger())
server, client = communicator(TRACING), communicator(TRACING)
proxy = client.stringToProxy(str(serve(server)))
begun = threading.Barrier(3)


def work():
    proxy.ice_ping()
    begun.wait()
    while True:
        try:
            proxy.ice_ping()
        except Exception:
            return


for _ in range(2):
    threading.Thread(target=work, daemon=True).start()
begun.wait()
