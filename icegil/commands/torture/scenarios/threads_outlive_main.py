"""Threads that are no daemons still use Ice when the main thread has ended.

hazard: the runtime goes away under them
ends: status 0
"""

import threading

from _echo import communicator, serve, storm

ice = communicator()
proxy = serve(ice)


def work():
    threading.main_thread().join()
    for _ in range(20):
        proxy.ice_ping()
        for future in storm(proxy, 20):
            future.result()


for _ in range(3):
    threading.Thread(target=work).start()
