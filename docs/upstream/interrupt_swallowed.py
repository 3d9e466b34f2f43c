"""Ctrl-C in a collocated call, whose servant runs on the thread that called: what the caller gets."""

import signal
import sys

import Ice

ENCAPSULATION = bytes([6, 0, 0, 0, 1, 1])


class Servant(Ice.Blobject):
    def ice_invoke(self, arguments, current):
        signal.raise_signal(signal.SIGINT)
        return True, arguments


got = "nothing"
with Ice.initialize(["server", "--Ice.Warn.Dispatch=0"]) as ice:
    adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    proxy = adapter.add(Servant(), Ice.stringToIdentity("servant"))
    adapter.activate()
    try:
        proxy.ice_invoke("call", Ice.OperationMode.Normal, ENCAPSULATION)
    except BaseException as error:
        got = type(error).__name__
print("the caller got", got)
sys.exit(got != "KeyboardInterrupt")
