"""A timer whose handler raises goes off at any step of asynchronous calls, thousands of times; then calls still work.

hazard: the exception leaves the lock of an `Ice.Future` taken, and the thread of Ice that completes the call waits for it
ends: status 3
needs: guard Future
"""

import contextlib
import signal
import sys

from _echo import communicator, serve


class Alarm(Exception):
    pass


def alarm(*_):
    if is_armed:  # another thread may have been given the signal, and hand it on when the timer is off
        raise Alarm


is_armed = False
signal.signal(signal.SIGALRM, alarm)
ice = communicator({"Ice.Warn.AMICallback": 0})
proxy = serve(ice)
proxy.ice_ping()
done = []
try:
    for number in range(3000):
        with contextlib.suppress(Alarm):
            is_armed = True
            signal.setitimer(signal.ITIMER_REAL, 0.00001 + number % 100 * 0.000003)
            future = proxy.ice_pingAsync()
            future.add_done_callback(done.append)
            if number % 3 == 0:
                future.result(5)
            elif number % 3 == 1:
                proxy.ice_ping()
            signal.setitimer(signal.ITIMER_REAL, 0)
            is_armed = False
finally:
    signal.setitimer(signal.ITIMER_REAL, 0)
futures = [proxy.ice_pingAsync() for _ in range(100)]
for future in futures:
    future.result(5)
proxy.ice_ping()
ice.destroy()
sys.exit(3)
