"""A child forked while requests are on their way leaves with a status of its own.

hazard: the child has the communicator, and none of its threads
ends: status 0
needs: guard
"""

import os
import sys
import warnings

from _echo import communicator, serve, storm

# From 3.12 on Python warns whoever forks with threads around.
warnings.simplefilter("ignore", DeprecationWarning)

ice = communicator()
proxy = serve(ice)
for _ in range(5):
    pending = storm(proxy, 200)
    child = os.fork()
    if child == 0:
        sys.exit(5)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 5, status
    for future in pending:
        future.result()
ice.destroy()
