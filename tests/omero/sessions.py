"""A manager of Glacier2 sessions that answers what OMERO's client asks first; its proxy is printed."""

import uuid

import Glacier2
import Ice
import omero
import omero.api


class Session(omero.api.ServiceFactory):
    def setCallback(self, callback, current=None):
        pass

    def keepAlive(self, proxy, current=None):
        return True

    def destroy(self, current=None):
        current.adapter.remove(current.id)


class Manager(Glacier2.SessionManager):
    def create(self, user, control, current=None):
        made = current.adapter.add(Session(), Ice.stringToIdentity(str(uuid.uuid4())))
        return Glacier2.SessionPrx.uncheckedCast(made)


ice = Ice.initialize()
adapter = ice.createObjectAdapterWithEndpoints("Sessions", "tcp -h 127.0.0.1")
print(
    adapter.add(Manager(), Ice.stringToIdentity("Manager")).ice_endpointSelection(Ice.EndpointSelectionType.Ordered),
    flush=True,
)
adapter.activate()
ice.waitForShutdown()
