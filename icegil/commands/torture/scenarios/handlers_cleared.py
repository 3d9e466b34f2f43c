"""A program takes all `atexit` handlers away, goes on using Ice, and leaves the communicator to the exit.

hazard: what takes Ice down at exit is gone with the handlers, or does so in the middle of the program
ends: status 3
"""

import atexit
import sys

from _echo import communicator, serve, storm

ice = communicator({"Ice.ThreadPool.Server.Size": 4})
proxy = serve(ice)
proxy.ice_ping()
atexit._clear()
proxy.ice_ping()
pending = storm(proxy, 5000)
sys.exit(3)
