"""A daemon thread waits for the shutdown for as long as the program runs.

hazard: the shutdown comes with the end, and the thread returns through a destructor that takes the GIL
ends: status 0
"""

import threading

from _echo import communicator, serve, storm

ice = communicator()
pending = storm(serve(ice), 100)
for _ in range(3):
    threading.Thread(target=ice.waitForShutdown, daemon=True).start()
