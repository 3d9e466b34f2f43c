"""Properties are set through the administrative object, and a callback is told of each update.

hazard: the callback is called on a thread of Ice for as long as updates come, and is kept by nobody but Ice
ends: status 0
needs: Future
"""

import Ice
from _echo import communicator


class Updated(getattr(Ice, "PropertiesAdminUpdateCallback", object)):  # Ice 3.7 wants one
    def __call__(self, changes):
        print(changes, flush=True)

    updated = __call__  # and calls this


ice = communicator({"Ice.Admin.Enabled": 1})
adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
admin = ice.createAdmin(adapter, Ice.stringToIdentity("admin"))
ice.findAdminFacet("Properties").addUpdateCallback(Updated())
adapter.activate()
facet = admin.ice_collocationOptimized(False).ice_facet("Properties")
properties = Ice.PropertiesAdminPrx.uncheckedCast(facet)
pending = [properties.setPropertiesAsync({"Number": str(number)}) for number in range(500)]
