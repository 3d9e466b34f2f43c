"""A server that calls another one all the time, until SIGTERM; its communicator is left to the exit."""

import os
import signal
import sys

import Ice


class Echo(Ice.Blobject):
    def ice_invoke(self, arguments, current):
        return True, arguments


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
communicator = Ice.initialize()
adapter = communicator.createObjectAdapterWithEndpoints("Echo", "tcp -h 127.0.0.1")
adapter.add(Echo(), Ice.stringToIdentity("echo"))
adapter.activate()
echo = communicator.stringToProxy(os.environ["ECHO"])
echo.ice_ping()
print("ready", flush=True)
while True:
    calls = [echo.ice_invokeAsync("echo", Ice.OperationMode.Normal, b"") for _ in range(20)]
    for call in calls:
        call.add_done_callback(lambda future: future.exception())
    calls[0].result()
