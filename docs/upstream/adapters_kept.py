"""Object adapters without a name are made and destroyed: what is left of each."""

import resource
import sys

import Ice


def make(ice, count):
    for _ in range(count):
        ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1").destroy()


with Ice.initialize() as ice:
    make(ice, 2000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    make(ice, 10000)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    left = sum(name.endswith(".Endpoints") for name in ice.getProperties().getPropertiesForPrefix(""))
if left:
    sys.exit(f"{left} properties of 12000 adapters are left, {grown / 10000} bytes an adapter")
