r"""A callback that is told of a property's update raises, and the threads of Ice end.

hazard: Ice 3.7 leaves the exception where it is, and the thread keeps it with its state
ends: status 3
stderr: (.*ValueError: on purpose\n)?
"""

import sys

import Ice
from _echo import communicator, serve


class Updated(getattr(Ice, "PropertiesAdminUpdateCallback", object)):  # Ice 3.7 wants one
    def __call__(self, changes):
        raise ValueError("on purpose")

    updated = __call__


first = communicator()
serve(first).ice_ping()
ice = communicator({"Ice.Admin.Enabled": 1, "Ice.Warn.Dispatch": 0, "Ice.Warn.Connections": 0})
adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
admin = ice.createAdmin(adapter, Ice.stringToIdentity("admin"))
adapter.activate()
updated = Updated()
ice.findAdminFacet("Properties").addUpdateCallback(updated)
facet = admin.ice_facet("Properties").ice_collocationOptimized(False)
try:
    Ice.PropertiesAdminPrx.uncheckedCast(facet).setProperties({"Some": "thing"})
except Ice.UnknownException:  # from 3.8 on it is told of what its callback raises
    pass
first.destroy()
ice.destroy()
sys.exit(3)
