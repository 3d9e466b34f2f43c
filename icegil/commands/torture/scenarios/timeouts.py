"""Requests time out that nobody answers.

hazard: their completions come from the thread of the timer
ends: status 0
"""

import socket
import threading

from _echo import communicator
from _futures import with_futures

timed_out = threading.Semaphore(0)


def completed(future):
    timed_out.release()
    print("timed out", flush=True)


ice = communicator()
silent = socket.create_server(("127.0.0.1", 0))
proxy = with_futures(ice.stringToProxy(f"silent:tcp -h 127.0.0.1 -p {silent.getsockname()[1]}"))
for number in range(300):
    proxy.ice_invocationTimeout(20 + number // 10).ice_pingAsync().add_done_callback(completed)
timed_out.acquire()
