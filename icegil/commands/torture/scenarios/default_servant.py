"""A default servant answers for every identity.

hazard: its last reference is dropped when the adapter goes, by whichever thread that is
ends: status 0
"""

import Ice
from _echo import Echo, communicator
from _futures import with_futures

ice = communicator()
adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
adapter.addDefaultServant(Echo(), "")
adapter.activate()
pending = [
    with_futures(adapter.createProxy(Ice.stringToIdentity(f"number {number}")))
    .ice_collocationOptimized(False)
    .ice_pingAsync()
    for number in range(500)
]
