"""Four threads make requests under a Python logger with all tracing on.

hazard: who holds a connection's lock calls the logger and wants the GIL; who has the GIL wants the lock
ends: status 0
within: 20
needs: guard
"""

from concurrent.futures import ThreadPoolExecutor

from _echo import communicator, serve
from _logger import TRACING, Logger


def asynchronously(proxy):
    for _ in range(10):
        for future in [proxy.ice_pingAsync() for _ in range(20)]:
            future.result()


def synchronously(proxy):
    for _ in range(200):
        proxy.ice_ping()


with communicator(TRACING, logger=Logger()) as ice, ThreadPoolExecutor() as pool:
    proxy = serve(ice)
    for done in [pool.submit(work, proxy) for work in (asynchronously, synchronously) * 2]:
        done.result()
