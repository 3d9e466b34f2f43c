"""An object in a cycle destroys its communicator when Python takes the last modules apart.

hazard: by then what is known of the communicator, and the module Ice itself, is gone
ends: status 3
"""

import sys

from _echo import communicator, serve


class Keeper:
    def __init__(self):
        self.ice = communicator()
        self.proxy = serve(self.ice)
        self.itself = self

    def __del__(self):
        self.ice.destroy()


keeper = Keeper()
keeper.proxy.ice_ping()
sys.exit(3)
