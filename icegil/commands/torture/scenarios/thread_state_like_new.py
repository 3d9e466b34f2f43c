"""Each request changes what Python keeps for its thread, and leaves it so.

hazard: the thread keeps its state for the next request, which finds what another one has left
ends: status 0
"""

import contextvars
import sys

import Ice
from _echo import Echo, communicator, serve

OPERATIONS = ("generators", "coroutines", "context")
found = []
variable = contextvars.ContextVar("variable", default="none")


def ignore(*arguments):
    return None


class SetsAgain:
    """Changes the context in the moment in which it is taken away."""

    def __del__(self):
        variable.set("set again")


class Servant(Echo):
    def ice_invoke(self, arguments, current):
        found.append((
            tuple(sys.get_asyncgen_hooks()),
            sys.get_coroutine_origin_tracking_depth(),
            variable.get(),
            sys.exc_info(),
        ))  # fmt: skip
        getattr(self, current.operation)()
        return True, arguments

    def generators(self):
        sys.set_asyncgen_hooks(ignore, ignore)

    def coroutines(self):
        sys.set_coroutine_origin_tracking_depth(3)

    def context(self):
        variable.set(SetsAgain())

    def nothing(self):
        pass


with communicator() as ice:
    proxy = serve(ice, Servant())
    for operation in OPERATIONS:
        proxy.ice_invoke(operation, Ice.OperationMode.Normal, b"")
        proxy.ice_invoke("nothing", Ice.OperationMode.Normal, b"")
after = dict(zip(OPERATIONS, found[1::2], strict=True))
assert set(found) == {found[0]}, after
