"""An executor in Python makes requests of its own for what it is given, on the same communicator.

hazard: it is called from inside the runtime, and calls back into it with the GIL in hand
ends: status 0
needs: Future
within: 20
"""

from concurrent.futures import ThreadPoolExecutor

import Ice
from _echo import communicator, serve

elsewhere = []


def execute(call, connection):
    if connection is not None and elsewhere:
        try:
            connection.getInfo()
            elsewhere[0].ice_getCachedConnection()
            elsewhere[0].ice_oneway().ice_pingAsync()
        except Ice.Exception:
            pass  # the communicator is being destroyed, and waits for what this has to call
    call()


def work(proxy):
    for _ in range(10):
        for future in [proxy.ice_pingAsync() for _ in range(20)]:
            future.result()
        proxy.ice_ping()


pools = {"Ice.ThreadPool.Server.Size": 2, "Ice.ThreadPool.Client.Size": 2}
with (
    communicator() as backend,
    communicator(pools, executor=execute, dispatcher=execute) as ice,  # the older name is Ice 3.7's
    ThreadPoolExecutor() as pool,
):
    elsewhere.append(ice.stringToProxy(str(serve(backend))))
    proxy = serve(ice)
    for done in [pool.submit(work, proxy) for _ in range(4)]:
        done.result()
