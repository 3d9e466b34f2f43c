"""An adapter is held and activated by turns while threads connect to it and make requests.

hazard: `hold` waits for the locks of the adapter's connections with the GIL in hand; a logger wants it under them
ends: status 0
within: 20
needs: guard
"""

import threading
from concurrent.futures import ThreadPoolExecutor

import Ice
from _echo import Echo, communicator
from _futures import with_futures
from _logger import TRACING, Logger

turn = threading.Lock()


def hold(adapter):
    for _ in range(50):
        with turn:
            adapter.hold()
            adapter.waitForHold()
            adapter.activate()


def connect(proxy):
    for number in range(50):
        each = proxy.ice_connectionId(str(number))
        each.ice_getConnection()
        for future in [each.ice_pingAsync() for _ in range(4)]:
            future.result()


properties = {**TRACING, "Ice.ThreadPool.Server.Size": 2}
with communicator(properties, logger=Logger()) as server, communicator() as client, ThreadPoolExecutor() as pool:
    adapter = server.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    proxy = with_futures(client.stringToProxy(str(adapter.add(Echo(), Ice.stringToIdentity("echo")))))
    holding = [pool.submit(hold, adapter) for _ in range(2)]
    connecting = [pool.submit(connect, proxy) for _ in range(2)]
    hold(adapter)
    for done in holding + connecting:
        done.result()
