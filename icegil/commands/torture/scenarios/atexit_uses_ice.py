"""`atexit` handlers of the program that still use Ice.

hazard: what cleans up comes too early, or they come too late
ends: status 0
"""

import atexit

from _echo import communicator, serve, storm

ice = communicator()
proxy = serve(ice)


@atexit.register
def say_goodbye():
    proxy.ice_ping()
    for future in storm(proxy, 100):
        future.result()
    storm(proxy, 100)
