"""A communicator is never destroyed; answers are on their way.

hazard: completions reach a runtime that is gone; `communicator not destroyed during global destruction`
ends: status 0
"""

from _echo import communicator, serve, storm

ice = communicator()
pending = storm(serve(ice))
