"""A close callback calls `sys.exit(7)` while requests run and the main thread waits.

hazard: IcePy finalizes Python on a thread of Ice that is taking a connection down
ends: status 7
needs: guard Future
"""

import sys
import threading

from _echo import communicator, serve, storm

server, client = communicator(), communicator({"Ice.ThreadPool.Client.Size": 4})
proxy = client.stringToProxy(str(serve(server)))
proxy.ice_getConnection().setCloseCallback(lambda connection: sys.exit(7))
pending = storm(proxy, 200)
server.destroy()
threading.Event().wait()
