"""A `__del__` that calls a proxy while Python finalizes."""

import builtins
import sys

import Ice

ENCAPSULATION = bytes([6, 0, 0, 0, 1, 1])


class Session:
    def __init__(self, proxy, error):
        self.proxy, self.error = proxy, error

    def __del__(self):
        try:
            self.proxy.ice_invoke("goodbye", NORMAL, ENCAPSULATION)
        except self.error:
            print("there is no server")


NORMAL = Ice.OperationMode.Normal
with Ice.initialize() as ice:
    sys.session = builtins.session = Session(ice.stringToProxy("nobody:tcp -h 127.0.0.1 -p 1"), Exception)
