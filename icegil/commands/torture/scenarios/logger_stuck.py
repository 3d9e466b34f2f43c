r"""A Python logger never returns.

hazard: it was called under the lock of a connection, which others wait for: the destruction is one of them
ends: status 3
stderr: not everything ended within 1 s.*communicator made at .*_echo\.py:\d+.*thread \d+ .* in trace\n.*
within: 5
drain: 1
needs: guard
"""

import sys
import threading

import Ice
from _echo import communicator, serve
from _futures import with_futures
from _logger import TRACING, Logger

entered = threading.Event()


class Stuck(Logger):
    def trace(self, category, message):
        if "stick" in message:
            entered.set()
            threading.Event().wait()


server, client = communicator(TRACING, logger=Stuck()), communicator()
proxy = with_futures(client.stringToProxy(str(serve(server))))
pending = proxy.ice_invokeAsync("stick", Ice.OperationMode.Normal, b"")
entered.wait()
sys.exit(3)
