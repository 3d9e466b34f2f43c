"""An exchange: answers with prices, and tells whoever subscribes how they change.

The property `Market.Peers` names other exchanges, whose prices it follows.
"""

import random
import signal
import sys
import threading

import Ice
from _prices import Exchange, ExchangePrx


class PrivateExchange(Exchange):
    def price(self, name, current):
        return random.uniform(1, 100)

    def subscribe(self, listener, current):
        threading.Thread(target=tell, args=[listener], daemon=True).start()


def tell(listener):
    """Tells a listener of each change, for as long as it is there."""
    try:
        while True:
            listener.changed("ICE", random.uniform(1, 100))
    except Ice.Exception:
        pass


def follow(peers):
    """Asks the other exchanges for their prices, for as long as this one runs."""
    while True:
        try:
            peers.price("ICE")
        except Ice.CommunicatorDestroyedException:
            return
        except Ice.Exception:
            pass  # it is being restarted


with Ice.initialize(sys.argv) as ice:
    signal.signal(signal.SIGTERM, lambda *_: ice.shutdown())
    adapter = ice.createObjectAdapter("Exchange")
    proxy = adapter.add(PrivateExchange(), Ice.stringToIdentity("exchange"))
    adapter.activate()
    peers = ice.propertyToProxy("Market.Peers")
    if peers:
        threading.Thread(target=follow, args=[ExchangePrx.uncheckedCast(peers)], daemon=True).start()
    print(proxy, flush=True)
    ice.waitForShutdown()
