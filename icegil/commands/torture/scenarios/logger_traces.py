"""A Python logger is given every message that Ice sends and receives, to the last.

hazard: Ice calls the logger whenever it likes, also while it takes its connections down
ends: status 0
"""

import threading

from _echo import communicator, serve
from _logger import TRACING, Logger

ice = communicator(TRACING, logger=Logger())
proxy = serve(ice)
begun = threading.Barrier(4)


def work():
    proxy.ice_ping()
    begun.wait()
    while True:
        try:
            proxy.ice_ping()
        except Exception:
            return


for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
begun.wait()
