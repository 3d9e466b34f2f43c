r"""A program closes its standard output, and a servant waits for an event that never comes.

hazard: whoever flushes the streams of a stuck process trips over the closed one, and leaves the rest undone
ends: status 3
stderr: not everything ended within 1 s of shutdown.*communicator made at .*_echo\.py:\d+.*thread \d+ .* in ice_invoke\n.*
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
sys.stdout.close()
sys.exit(3)
