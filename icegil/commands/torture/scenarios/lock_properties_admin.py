"""Threads set properties through the administrative object while the main thread registers for updates.

hazard: the object tells a Python logger of each change under its lock; who has the GIL wants that lock to register
ends: status 0
within: 20
needs: guard
"""

from concurrent.futures import ThreadPoolExecutor

import Ice
from _echo import communicator
from _logger import Logger


class Updated(getattr(Ice, "PropertiesAdminUpdateCallback", object)):  # Ice 3.7 wants one
    def __call__(self, changes):
        pass

    updated = __call__  # and calls this


def change(properties, thread):
    for number in range(200):
        properties.setProperties({f"Number{thread}": str(number)})


settings = {"Ice.Admin.Enabled": 1, "Ice.Trace.Admin.Properties": 2, "Ice.ThreadPool.Server.Size": 4}
with communicator(settings, logger=Logger()) as ice, ThreadPoolExecutor() as pool:
    adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    admin = ice.createAdmin(adapter, Ice.stringToIdentity("admin"))
    adapter.activate()
    proxy = Ice.PropertiesAdminPrx.uncheckedCast(admin.ice_collocationOptimized(False).ice_facet("Properties"))
    facet = ice.findAdminFacet("Properties")
    changing = [pool.submit(change, proxy, thread) for thread in range(2)]
    updated = Updated()
    # Ice 3.7 takes none away: each change calls all of them, and without a limit the changes would not come to an end.
    for _ in range(300 if Ice.intVersion() < 30800 else 100_000):
        if all(each.done() for each in changing):
            break
        facet.addUpdateCallback(updated)
        facet.removeUpdateCallback(updated)
    for done in changing:
        done.result()
