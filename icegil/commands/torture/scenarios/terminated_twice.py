r"""SIGTERM ends the program by a SystemExit; it comes again and again while the shutdown waits for a stuck servant.

hazard: the handler's exception ends what is to be done on the way out, and the rest stays undone
ends: status 3
stderr: (a step of the shutdown failed, the others are taken: SystemExit\(3\)\n)*[^\n]*interrupted[^\n]*\n.*not everything ended.* in ice_invoke\n(?:(?!Exception ignored).)*
within: 10
drain: 60
needs: guard
"""

import os
import signal
import sys
import threading

import Ice
from _echo import Echo, communicator, serve, storm

entered = threading.Event()


class Stuck(Echo):
    def ice_invoke(self, arguments, current):
        entered.set()
        threading.main_thread().join()
        while True:
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait(0.3)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
ice, another = communicator(), communicator()
pending = storm(serve(another))
serve(ice, Stuck()).ice_oneway().ice_invoke("stick", Ice.OperationMode.Normal, b"")
entered.wait()
os.kill(os.getpid(), signal.SIGTERM)
threading.Event().wait()
