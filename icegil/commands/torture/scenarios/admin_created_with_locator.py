"""A program makes the administrative object on an adapter of its own, which tells a locator in the same process.

hazard: who makes it waits with the GIL in hand for the answer of the locator, which is in Python
ends: status 0
within: 8
needs: guard
"""

import Ice
from _echo import communicator
from _locator import serve_locator

with communicator() as here:
    locator, told = serve_locator(here)
    properties = {
        "Ice.Admin.Enabled": 1,
        "Ice.Admin.ServerId": "server",
        "Ice.Default.Locator": locator,
    }
    with communicator(properties) as ice:
        another = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
        ice.createAdmin(another, Ice.stringToIdentity("admin"))
        another.activate()
    assert "server" in told, told
