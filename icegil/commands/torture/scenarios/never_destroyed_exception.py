r"""A communicator is never destroyed; the program ends with an exception.

hazard: the crash replaces the exit status, and the traceback drowns in noise
ends: status 1
stderr: Traceback \(most recent call last\):\n.*RuntimeError: the program failed\n
"""

from _echo import communicator, serve, storm

ice = communicator()
pending = storm(serve(ice))
raise RuntimeError("the program failed")
