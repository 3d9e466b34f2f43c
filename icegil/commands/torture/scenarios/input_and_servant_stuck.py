r"""A daemon thread waits for the user at a terminal, and a servant for an event that never comes.

hazard: whoever flushes all of C's streams at exit waits for the one that the daemon thread reads from
ends: status 3
stderr: not everything ended within 1 s of shutdown.*communicator made at .*_echo\.py:\d+.*thread \d+ .* in ice_invoke\n.*
within: 8
drain: 1
needs: guard
"""

import sys

from _echo import communicator
from _stuck import stick
from _terminal import wait_in_input

terminal = wait_in_input()
ice = communicator()
stick(ice)
sys.exit(3)
