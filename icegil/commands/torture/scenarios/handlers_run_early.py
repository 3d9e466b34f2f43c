"""A program runs the `atexit` handlers itself, as a worker does that was forked, and goes on using Ice.

hazard: what takes Ice down at exit does so in the middle of the program
ends: status 3
"""

import atexit
import sys

from _echo import communicator, serve, storm

ice = communicator()
proxy = serve(ice)
proxy.ice_ping()
atexit._run_exitfuncs()
with communicator() as another:
    serve(another).ice_ping()
proxy.ice_ping()
for future in storm(proxy):
    future.result()
pending = storm(proxy)
sys.exit(3)
