"""What a logging handler has kept goes over Ice when `logging.shutdown` flushes it at exit.

hazard: Ice is taken down first, and the last records are lost
ends: status 3
"""

import atexit
import logging
import logging.handlers
import sys

from _echo import communicator, serve
from _log import OverIce

ice = communicator()
memory = logging.handlers.MemoryHandler(1000, target=OverIce(serve(ice)))
logging.getLogger().addHandler(memory)
atexit.register(logging.warning, "the last record")
logging.warning("the first record")
sys.exit(3)
