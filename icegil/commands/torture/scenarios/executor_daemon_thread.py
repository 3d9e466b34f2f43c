"""An executor hands everything to a thread of its own, as a program with a user interface does.

hazard: the thread is a daemon: Python stops it somewhere inside a call, and the rest is never executed
ends: status 0
needs: guard Future
"""

import queue
import threading

from _echo import communicator, serve, storm

calls = queue.SimpleQueue()


def work():
    while True:
        calls.get()()


def execute(call, connection):
    calls.put(call)


threading.Thread(target=work, daemon=True).start()
ice = communicator(executor=execute, dispatcher=execute)  # the older name is Ice 3.7's
pending = storm(serve(ice))
