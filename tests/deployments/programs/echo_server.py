"""An Ice server that answers each request with its own arguments, one by one, and takes a millisecond for each.

It prints where it is, and serves until its stdin ends.
"""

import sys
import time

import Ice


class Echo(Ice.Blobject):
    def ice_invoke(self, arguments, current):
        time.sleep(0.001)  # a server has work to do; its clients have calls under way
        return True, arguments


with Ice.initialize() as communicator:
    adapter = communicator.createObjectAdapterWithEndpoints("Echo", "tcp -h 127.0.0.1")
    proxy = adapter.add(Echo(), Ice.stringToIdentity("echo"))
    adapter.activate()
    print(proxy, flush=True)
    sys.stdin.read()
