"""The main thread drops the last proxy, adapter or servant of a communicator while its destruction completes.

hazard: who drops the last reference joins the thread of the destruction, which wants the GIL to finish
ends: status 0
within: 20
needs: guard asyncio
"""

import threading

from _echo import Echo, communicator, serve


def complete(future):
    completing.set()
    for _ in range(1000):
        print("completing", flush=True)


for kind in ("proxy", "adapter") * 10:
    completing = threading.Event()
    ice = communicator()
    if kind == "proxy":
        last = serve(ice)
        last.ice_ping()
    else:
        last = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
        last.addDefaultServant(Echo(), "")
    destroyed = ice.destroyAsync()
    destroyed.add_done_callback(complete)
    del ice
    completing.wait()
    del last
