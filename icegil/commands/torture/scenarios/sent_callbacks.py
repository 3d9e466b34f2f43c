"""Requests have queued up before a server that is busy, and are sent as the program ends.

hazard: the *sent* callbacks come from the thread that writes to the socket, in the midst of finalization
ends: status 0
"""

from _busy import Busy, queue_up
from _echo import communicator, serve
from _futures import with_futures

server, client, busy = communicator(), communicator(), Busy()
pending = queue_up(with_futures(client.stringToProxy(str(serve(server, busy)))))
for future in pending:
    future.add_sent_callback(lambda *sent: print("sent", flush=True))
assert not future.is_sent()
busy.may_go.set()
