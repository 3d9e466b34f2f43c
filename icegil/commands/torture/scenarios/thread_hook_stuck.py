r"""The hook of a thread that stops never returns.

hazard: the thread is joined by the destruction
ends: status 3
stderr: not everything ended within 1 s.*communicator made at .*_echo\.py:\d+.*thread \d+ .* in stopped\n.*
within: 5
drain: 1
needs: guard
"""

import sys
import threading

from _echo import communicator, serve, storm


def stopped():
    threading.Event().wait()


ice = communicator(threadStop=stopped)
pending = storm(serve(ice), 100)
sys.exit(3)
