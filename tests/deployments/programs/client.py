"""A client that leaves with a status of its own, and does not wait for all of its calls."""

import os
import sys

import Ice

communicator = Ice.initialize()
echo = communicator.stringToProxy(os.environ["ECHO"])
calls = [echo.ice_invokeAsync("echo", Ice.OperationMode.Normal, b"") for _ in range(100)]
for call in calls:
    call.add_done_callback(lambda future: future.exception())
calls[0].result()
print("answered", flush=True)
sys.exit(3)
