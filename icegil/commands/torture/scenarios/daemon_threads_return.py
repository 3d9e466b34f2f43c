"""Daemon threads come back from blocking calls of Ice at all times.

hazard: each comes back through a C++ destructor that takes the GIL, which is forbidden to fail
ends: status 0
"""

import threading

from _echo import communicator, serve

ice = communicator({"Ice.ThreadPool.Server.Size": 2})
proxy = serve(ice)
begun = threading.Barrier(5)


def work():
    proxy.ice_ping()
    begun.wait()
    while True:
        try:
            proxy.ice_ping()
        except Exception:
            return


for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
begun.wait()
