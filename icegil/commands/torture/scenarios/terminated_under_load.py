"""SIGTERM ends a worker by a SystemExit; the main thread is mostly in a servant then, which it calls itself.

hazard: IcePy ends the process in the middle of the call, with no `finally` run, or answers the call with the exception
ends: status 4
needs: guard
"""

import os
import signal
import sys
import threading

import Ice
from _echo import Echo, communicator, serve, storm

working = threading.Event()
calls = 0


class Worker(Echo):
    def ice_invoke(self, arguments, current):
        if threading.current_thread() is threading.main_thread():
            working.set()
            sum(number for number in range(500_000))
        return True, arguments


def terminate():
    working.wait()
    os.kill(os.getpid(), signal.SIGTERM)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
ice = communicator()
far = serve(ice, Worker())
near = far.ice_collocationOptimized(True)
pending = storm(far)
threading.Thread(target=terminate).start()
try:
    while calls < 200:
        near.ice_invoke("work", Ice.OperationMode.Normal, b"")
        calls += 1
    sys.exit("not terminated")
except SystemExit as error:
    status = error.code
finally:
    ice.destroy()
sys.exit(status + 1)
