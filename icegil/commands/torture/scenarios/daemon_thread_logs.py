"""A daemon thread logs in a loop, through a handler that sends each record over Ice.

hazard: the thread is stopped in its call with the handler's lock in hand, for which `logging.shutdown` waits
ends: status 3
within: 8
needs: guard
"""

import logging
import sys
import threading

import Ice
from _echo import communicator, serve
from _log import OverIce

has_begun = threading.Event()


def log_for_ever():
    while True:
        logging.warning("tick")
        if handler.delivered > 100:
            has_begun.set()


ice = communicator()
# While the communicator is being destroyed its own server may be gone first: on 3.7 that is a ConnectionRefusedException.
handler = OverIce(serve(ice), Ice.LocalException)
logging.getLogger().addHandler(handler)
threading.Thread(target=log_for_ever, daemon=True).start()
has_begun.wait()
sys.exit(3)
