"""Requests are on their way over WebSocket.

hazard: completions reach a runtime that is gone
ends: status 0
"""

from _echo import communicator, serve, storm

ice = communicator()
for future in storm(serve(ice, endpoints="ws -h 127.0.0.1"), 500):
    future.add_done_callback(lambda done: print("completed", flush=True))
