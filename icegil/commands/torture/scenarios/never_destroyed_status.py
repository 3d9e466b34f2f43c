"""A communicator is never destroyed; the program asks for an exit status of its own.

hazard: the crash replaces the exit status
ends: status 3
"""

import sys

from _echo import communicator, serve, storm

ice = communicator()
pending = storm(serve(ice))
sys.exit(3)
