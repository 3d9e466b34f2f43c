r"""A completion callback never returns.

hazard: the thread that called it belongs to the thread pool, which is waited for
ends: status 3
needs: guard Future
stderr: not everything ended within 1 s.*communicator made at .*_echo\.py:\d+.*thread \d+ .* in completed\n.*
within: 5
drain: 1
"""

import sys
import threading

from _echo import communicator, serve

entered = threading.Event()


def completed(future):
    entered.set()
    threading.Event().wait()


ice = communicator()
serve(ice).ice_pingAsync().add_done_callback(completed)
entered.wait()
sys.exit(3)
