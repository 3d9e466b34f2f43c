"""Connections are opened, given a close callback and closed: how much memory each leaves."""

import resource

import Ice


class Echo(Ice.Blobject):
    def ice_invoke(self, arguments, current):
        return True, arguments


def make(proxy, first, count):
    for number in range(first, first + count):
        connection = proxy.ice_connectionId(str(number)).ice_getConnection()
        connection.setCloseCallback(lambda closed: None)
        connection.close(*[] if Ice.intVersion() >= 30800 else [Ice.ConnectionClose.Gracefully])


with Ice.initialize() as ice:
    adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    proxy = adapter.add(Echo(), Ice.stringToIdentity("echo")).ice_collocationOptimized(False)
    adapter.activate()
    make(proxy, 0, 500)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    make(proxy, 500, 3000)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / 3000, "bytes a connection")
