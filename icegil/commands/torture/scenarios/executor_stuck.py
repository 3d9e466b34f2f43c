r"""An executor never returns.

hazard: the thread that called it belongs to the thread pool, which is waited for
ends: status 3
needs: guard Future
stderr: not everything ended within 1 s.*communicator made at .*_echo\.py:\d+.*thread \d+ .* in execute\n.*
within: 5
drain: 1
"""

import sys
import threading

from _echo import communicator, serve

entered = threading.Event()


def execute(call, connection):
    call()
    if connection is not None:
        entered.set()
        threading.Event().wait()


ice = communicator(executor=execute, dispatcher=execute)  # the older name is Ice 3.7's
pending = serve(ice).ice_pingAsync()
entered.wait()
sys.exit(3)
