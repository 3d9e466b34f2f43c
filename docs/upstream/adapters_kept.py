"""Object adapters are made and destroyed: how much memory each leaves."""

import resource

import Ice


def make(ice, count):
    for _ in range(count):
        ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1").destroy()


with Ice.initialize() as ice:
    make(ice, 2000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    make(ice, 10000)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / 10000, "bytes an adapter")
