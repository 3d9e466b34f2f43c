"""Servants answer with futures, which a daemon thread of the program completes.

hazard: the thread sends answers through Ice, and lets the GIL go in the middle, while Python finalizes
ends: status 0
needs: Future
"""

import queue
import threading

import Ice
from _echo import Echo, communicator, serve, storm

questions = queue.SimpleQueue()


class Servant(Echo):
    def ice_invoke(self, arguments, current):
        future = Ice.Future()
        questions.put((future, arguments))
        return future


def answer():
    while True:
        future, arguments = questions.get()
        future.set_result((True, arguments))


threading.Thread(target=answer, daemon=True).start()
server, client = communicator(), communicator()
pending = storm(client.stringToProxy(str(serve(server, Servant()))))
