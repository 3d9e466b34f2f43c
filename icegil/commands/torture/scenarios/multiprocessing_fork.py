"""A pool of forked workers beside a communicator at work.

hazard: every worker has a copy of the communicator, and none of its threads
ends: status 0
"""

import multiprocessing
import warnings

from _echo import communicator, serve, storm

# From 3.12 on Python warns whoever forks with threads around.
warnings.simplefilter("ignore", DeprecationWarning)

ice = communicator()
proxy = serve(ice)
pending = storm(proxy, 200)
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(abs, range(-20, 0)) == list(range(20, 0, -1))
for future in pending:
    future.result()
