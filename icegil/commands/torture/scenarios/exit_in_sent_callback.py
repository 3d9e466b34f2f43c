"""A *sent* callback calls `sys.exit(7)` while others run and the main thread waits.

hazard: IcePy finalizes Python on a thread of Ice, under all the other threads
ends: status 7
needs: guard
"""

import sys
import threading

from _busy import Busy, queue_up
from _echo import communicator, serve
from _futures import with_futures

server, client, busy = communicator(), communicator({"Ice.ThreadPool.Client.Size": 4}), Busy()
pending = queue_up(with_futures(client.stringToProxy(str(serve(server, busy)))))
assert not pending[100].is_sent()
pending[100].add_sent_callback(lambda *sent: sys.exit(7))
busy.may_go.set()
threading.Event().wait()
