r"""Ctrl-C while the shutdown waits for a servant that never returns.

hazard: the user cannot end it
ends: status 0
stderr: interrupted while communicators were being destroyed.*not everything ended.* in ice_invoke\n.*
within: 10
drain: 60
"""

import os
import signal
import threading
import time

import Ice
from _echo import Echo, communicator, serve

entered = threading.Event()


class Stuck(Echo):
    def ice_invoke(self, arguments, current):
        entered.set()
        while not ice.isShutdown():  # which is how its destruction begins
            time.sleep(0.01)
        while True:
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait(0.3)


ice = communicator()
serve(ice, Stuck()).ice_oneway().ice_invoke("stick", Ice.OperationMode.Normal, b"")
entered.wait()
