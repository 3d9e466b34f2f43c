"""An executor runs everything where it is called.

hazard: every event of every connection goes through Python first, those of the shutdown too
ends: status 0
needs: Future
"""

from _echo import communicator, serve, storm


def execute(call, connection):
    call()


ice = communicator(executor=execute, dispatcher=execute)  # the older name is Ice 3.7's
pending = storm(serve(ice))
