"""An `Ice.Application` serves requests until SIGTERM comes.

hazard: its own thread for signals, and the requests under way, are there when Python finalizes
ends: status 5
needs: Application
"""

import os
import signal
import sys

import Ice
from _echo import serve, storm


class Server(Ice.Application):
    def run(self, words):
        self.shutdownOnInterrupt()
        self.pending = storm(serve(self.communicator()), 200)
        os.kill(os.getpid(), signal.SIGTERM)
        self.communicator().waitForShutdown()
        return 5


sys.exit(Server().main(sys.argv))
