"""A servant that never returns."""

import threading

import Ice
from _echo import Echo, serve


class Stuck(Echo):
    """Waits for an event that never comes."""

    def __init__(self):
        super().__init__()
        self.entered = threading.Event()

    def ice_invoke(self, arguments, current):
        self.entered.set()
        threading.Event().wait()


def stick(ice):
    """Has a thread of this communicator be inside such a servant when this returns."""
    servant = Stuck()
    serve(ice, servant).ice_oneway().ice_invoke("stick", Ice.OperationMode.Normal, b"")
    servant.entered.wait()
