"""The Slice of the exchange, loaded, and a listener that says when it has heard enough."""

import pathlib
import threading

import Ice

DEFINITIONS = str(pathlib.Path(__file__).with_name("Prices.ice"))

if Ice.intVersion() < 30800:
    Ice.loadSlice("", [DEFINITIONS])
else:
    Ice.loadSlice([DEFINITIONS])

import Prices  # noqa: E402

Exchange, ExchangePrx, ListenerPrx = Prices.Exchange, Prices.ExchangePrx, Prices.ListenerPrx


class Listener(Prices.Listener):
    """Writes down what a price has become."""

    ENOUGH = 20

    def __init__(self):
        self.prices = []
        self.heard_enough = threading.Event()

    def changed(self, name, price, current):
        self.prices.append((name, price))
        if len(self.prices) >= self.ENOUGH:
            self.heard_enough.set()
