"""Time-outs by `setitimer`, whose handler raises, around asynchronous calls; then calls without."""

import contextlib
import faulthandler
import signal
import time

import Ice


class TooLong(Exception):
    pass


class Echo(Ice.Blobject):
    def ice_invoke(self, arguments, current):
        return True, arguments


def too_long(*_):
    raise TooLong


signal.signal(signal.SIGALRM, too_long)
faulthandler.dump_traceback_later(20, exit=True)
with Ice.initialize() as ice:
    adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    proxy = adapter.add(Echo(), Ice.stringToIdentity("echo")).ice_collocationOptimized(False)
    adapter.activate()
    proxy.ice_ping()
    for number in range(2000):
        with contextlib.suppress(Exception):
            signal.setitimer(signal.ITIMER_REAL, 0.00001 + number % 100 * 0.000002)
            proxy.ice_pingAsync().add_done_callback(lambda future: None)
            time.sleep(0.001)
    for _ in range(100):
        proxy.ice_ping()
