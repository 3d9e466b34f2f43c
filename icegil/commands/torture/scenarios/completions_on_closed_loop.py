"""The event loop is closed while a communicator that belongs to it has requests on their way.

hazard: completions call a closed loop: a traceback on stderr for each, from threads of Ice
ends: status 0
needs: asyncio
"""

import asyncio

from _echo import communicator, serve, storm

loop = asyncio.new_event_loop()
ice = communicator(loop=loop)
pending = storm(serve(ice), 500)
loop.run_until_complete(pending[20])
loop.close()
