"""Proxies: made from text, from one another, and asked about themselves."""

from __future__ import annotations

from collections.abc import Iterator

import Ice

from tools.leaks.ends import Typed, both_ends, communicator, each, fails
from tools.leaks.operation import Work, operation


@operation("proxy made from text")
def from_text() -> Iterator[Work]:
    with communicator() as ice:

        def make() -> None:
            proxy = ice.stringToProxy("it -f facet:tcp -h 127.0.0.1 -p 4061:udp -h 127.0.0.1 -p 4061")
            str(proxy)
            hash(proxy)
            proxy.ice_getIdentity()
            proxy.ice_getEndpoints()

        yield each(make)


@operation("proxy made from a property")
def from_a_property() -> Iterator[Work]:
    with communicator({"It": "it:tcp -h 127.0.0.1 -p 4061"}) as ice:
        yield each(lambda: ice.proxyToProperty(ice.propertyToProxy("It"), "Other"))


@operation("proxy that cannot be made")
def wrong_text() -> Iterator[Work]:
    with communicator() as ice:
        yield each(fails(lambda: ice.stringToProxy("it:no endpoint")))


@operation("proxy made from another, all ways")
def from_another() -> Iterator[Work]:
    with both_ends() as ends:
        proxy, connection = ends.proxy, ends.proxy.ice_getConnection()

        def make() -> None:
            proxy.ice_oneway().ice_twoway().ice_datagram().ice_batchOneway().ice_batchDatagram()
            proxy.ice_facet("facet").ice_identity(Ice.stringToIdentity("other")).ice_context({"who": "it"})
            proxy.ice_connectionId("name").ice_compress(True).ice_connectionCached(False)
            proxy.ice_invocationTimeout(100).ice_locatorCacheTimeout(0).ice_collocationOptimized(False)
            proxy.ice_endpointSelection(Ice.EndpointSelectionType.Ordered).ice_encodingVersion(Ice.Encoding_1_0)
            proxy.ice_endpoints(proxy.ice_getEndpoints()).ice_adapterId("adapter")
            proxy.ice_router(None).ice_locator(None)
            proxy.ice_fixed(connection).ice_getConnection()
            proxy.ice_context({"who": "it"}).ice_getContext()

        yield each(make)


@operation("casts")
def casts() -> Iterator[Work]:
    with both_ends(Typed()) as ends:

        def cast() -> None:
            Ice.LocatorPrx.uncheckedCast(ends.proxy)
            Ice.LocatorPrx.checkedCast(ends.proxy)

        yield each(cast)


@operation("identities and their text")
def identities() -> Iterator[Work]:
    with communicator() as ice:
        yield each(lambda: ice.identityToString(Ice.stringToIdentity("category/name")))
