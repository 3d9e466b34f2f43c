"""The administrative object is made, and tells a locator in the same process of itself.

hazard: who makes it waits with the GIL in hand for the answer of the locator, which is in Python
ends: status 0
within: 8
needs: guard
"""

from _echo import communicator
from _locator import serve_locator

with communicator() as here:
    locator, told = serve_locator(here)
    properties = {
        "Ice.Admin.DelayCreation": 1,
        "Ice.Admin.Endpoints": "tcp -h 127.0.0.1",
        "Ice.Admin.InstanceName": "torture",
        "Ice.Admin.ServerId": "server",
        "Ice.Default.Locator": locator,
    }
    with communicator(properties) as ice:
        assert ice.getAdmin() is not None
        another = ice.createObjectAdapterWithEndpoints("another", "tcp -h 127.0.0.1")
        another.activate()
    assert "server" in told, told
