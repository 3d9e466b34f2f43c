"""Requests to servants of the same communicator, which go through no connection.

hazard: their dispatches and completions are on the threads of one pool, and no connection is closed to stop them
ends: status 0
"""

from _echo import communicator, serve, storm

ice = communicator({"Ice.ThreadPool.Server.Size": 4})
proxy = serve(ice).ice_collocationOptimized(True)
for future in storm(proxy) + storm(proxy.ice_oneway()):
    future.add_done_callback(lambda done: print("completed", flush=True))
