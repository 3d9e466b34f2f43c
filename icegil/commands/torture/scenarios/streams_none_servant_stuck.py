r"""A program has no standard streams, and a servant waits for an event that never comes.

hazard: whoever flushes the streams of a stuck process trips over what is not there, and leaves the rest undone
ends: status 3
within: 8
drain: 1
needs: guard
"""

import sys

from _echo import communicator, serve, storm
from _stuck import stick

ice, another = communicator(), communicator()
stick(ice)
pending = storm(serve(another))
sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = None
sys.exit(3)
