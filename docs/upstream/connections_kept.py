"""Connections are opened, given a close callback and closed: what memory each leaves, and until when."""

import ctypes
import time

import Ice


class Echo(Ice.Blobject):
    def ice_invoke(self, arguments, current):
        return True, arguments


class Counted(ctypes.Structure):
    _fields_ = [(f"number_{index}", ctypes.c_size_t) for index in range(10)]


def make(proxy, first, count):
    for number in range(first, first + count):
        connection = proxy.ice_connectionId(str(number)).ice_getConnection()
        connection.setCloseCallback(lambda closed: None)
        connection.close(*[] if Ice.intVersion() >= 30800 else [Ice.ConnectionClose.Gracefully])


mallinfo2 = ctypes.CDLL(None).mallinfo2  # glibc 2.33
mallinfo2.restype = Counted
with Ice.initialize() as ice:
    adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    proxy = adapter.add(Echo(), Ice.stringToIdentity("echo")).ice_collocationOptimized(False)
    adapter.activate()
    make(proxy, 0, 10)
    before = mallinfo2().number_7  # in use
    make(proxy, 10, 3000)
    for seconds in (0, 11 if Ice.intVersion() >= 30800 else 31):
        time.sleep(seconds)
        make(proxy, 4000 + seconds, 1)
        print((mallinfo2().number_7 - before) / 3000, "bytes a connection after", seconds, "seconds")
