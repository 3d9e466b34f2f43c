r"""A servant waits for an event that never comes.

hazard: the destruction waits for the dispatch, and the process for the destruction
ends: status 3
stderr: not everything ended within 1 s of shutdown.*communicator made at .*_echo\.py:\d+.*thread \d+ .* in ice_invoke\n.*
within: 5
drain: 1
needs: guard
"""

import sys

from _echo import communicator
from _stuck import stick

ice = communicator()
stick(ice)
sys.exit(3)
