r"""The thread that executes what an executor is given has ended before the program does.

hazard: the connections are never told that they are closed, and their destruction waits for it
ends: status 3
needs: Future
stderr: not everything ended within 1 s.*communicator made at .*_echo\.py:\d+.*
within: 5
drain: 1
"""

import queue
import sys
import threading

from _echo import communicator, serve, storm

calls = queue.SimpleQueue()


def work():
    for call in iter(calls.get, None):
        call()


def execute(call, connection):
    calls.put(call)


worker = threading.Thread(target=work)
worker.start()
ice = communicator(executor=execute, dispatcher=execute)  # the older name is Ice 3.7's
pending = storm(serve(ice))
calls.put(None)
worker.join()
sys.exit(3)
