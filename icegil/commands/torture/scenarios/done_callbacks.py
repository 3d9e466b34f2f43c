"""Completion callbacks of a thousand requests run while the program ends.

hazard: each of them lets the GIL go in the middle, and comes back to a runtime that is being finalized
ends: status 0
"""

from _echo import communicator, serve, storm

ice = communicator()
for future in storm(serve(ice)):
    future.add_done_callback(lambda done: print("completed", flush=True))
