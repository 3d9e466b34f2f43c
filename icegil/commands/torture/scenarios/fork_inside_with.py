"""A child forked inside `with communicator` leaves the block, and the process.

hazard: the end of the block destroys a communicator whose threads are in the parent
ends: status 0
needs: guard
"""

import os
import sys
import warnings

from _echo import communicator, serve

# From 3.12 on Python warns whoever forks with threads around.
warnings.simplefilter("ignore", DeprecationWarning)

child = 0
with communicator() as ice:
    serve(ice).ice_ping()
    child = os.fork()
    if child == 0:
        sys.exit(5)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 5, status
