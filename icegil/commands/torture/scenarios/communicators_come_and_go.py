"""A daemon thread makes and destroys communicators while the program ends.

hazard: it is stopped with a communicator half made, which nobody destroys before C++ ends
ends: status 3
needs: guard
"""

import sys
import threading

import Ice
from _echo import communicator, serve


def come_and_go():
    try:
        while True:
            with communicator() as passing:
                passing.stringToProxy(str(proxy)).ice_ping()
                has_begun.set()
    except Ice.LocalException:
        pass  # nobody is there any more


has_begun = threading.Event()
proxy = serve(communicator())
threading.Thread(target=come_and_go, daemon=True).start()
has_begun.wait()
sys.exit(3)
