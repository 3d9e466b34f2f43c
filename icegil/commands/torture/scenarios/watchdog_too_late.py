"""A watchdog stops a request that takes too long, by an exception in its thread, and comes a moment too late.

hazard: the thread keeps its state for the next request, and the exception with it
ends: status 0
"""

import ctypes
import threading

import Ice
from _echo import Echo, communicator, serve

threads = []


class Servant(Echo):
    def ice_invoke(self, arguments, current):
        threads.append(threading.get_ident())
        return True, arguments


def stop(thread):
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TimeoutError))


# One that comes when the answer is sent, and the thread is still in Ice's own Python, has Ice warn of the second answer.
with communicator({"Ice.Warn.Dispatch": 0}) as ice:
    proxy = serve(ice, Servant())
    for _ in range(100):
        proxy.ice_invoke("work", Ice.OperationMode.Normal, b"")
        stop(threads[-1])
assert len(threads) == 100
