"""A server that is busy, and requests so big that they queue up before it."""

import threading

import Ice
from _echo import Echo

SIZE = 200_000
BIG = SIZE.to_bytes(4, "little") + bytes([1, 1]) + bytes(SIZE - 6)  # an encapsulation, encoding 1.1


class Busy(Echo):
    """Does not look at the second request before the first one is done with: when it may go."""

    def __init__(self):
        self.may_go = threading.Event()

    def ice_invoke(self, arguments, current):
        self.may_go.wait()
        return True, b""


def queue_up(proxy):
    """Makes requests without answers; their futures. Most of them are not sent before the server may go."""
    return [proxy.ice_oneway().ice_invokeAsync("take", Ice.OperationMode.Normal, BIG) for _ in range(200)]
