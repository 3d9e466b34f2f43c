"""Hears of prices from an exchange behind a Glacier2 router, asks for them meanwhile, and leaves as it is told."""

import contextlib
import sys
import threading

import Glacier2
import Ice
from _leaving import leave
from _prices import ExchangePrx, Listener, ListenerPrx


def ask(exchange):
    try:
        while True:
            exchange.price("ICE")
    except Ice.Exception:
        pass


ice = Ice.initialize(sys.argv)
router = Glacier2.RouterPrx.checkedCast(ice.getDefaultRouter())
router.createSession("anna", "secret")
adapter = ice.createObjectAdapterWithRouter("Listener", router)
listener = Listener()
identity = Ice.Identity(name="listener", category=router.getCategoryForClient())
proxy = ListenerPrx.uncheckedCast(adapter.add(listener, identity))
adapter.activate()

exchange = ExchangePrx.uncheckedCast(ice.propertyToProxy("Market.Exchange"))
exchange.subscribe(proxy)
threading.Thread(target=ask, args=[exchange], daemon=True).start()
listener.heard_enough.wait()

how = sys.argv[1]
if how == "session destroyed":
    with contextlib.suppress(Ice.ConnectionLostException):  # the router closes the connection
        router.destroySession()
leave(how, ice)
