"""A client, and its server, for which IcePy looks many things up by name: exceptions, connections, dispatches."""

import sys

import Ice


class Echo(Ice.Blobject):
    def ice_invoke(self, arguments, current):
        if current.operation == "missing":
            raise Ice.OperationNotExistException()
        return True, arguments


def caught(kind, call):
    try:
        call()
    except kind:
        return True
    return False


communicator = Ice.initialize()
adapter = communicator.createObjectAdapterWithEndpoints("Echo", "tcp -h 127.0.0.1")
echo = adapter.add(Echo(), Ice.stringToIdentity("echo")).ice_collocationOptimized(False)
adapter.activate()
nobody = echo.ice_identity(Ice.stringToIdentity("nobody"))
answers = [
    echo.ice_getConnection().getInfo().remoteAddress,
    [endpoint.getInfo().type() for endpoint in echo.ice_getEndpoints()],
    caught(Ice.ObjectNotExistException, nobody.ice_ping),
    caught(Ice.OperationNotExistException, lambda: echo.ice_invoke("missing", Ice.OperationMode.Normal, b"")),
    communicator.getProperties().getPropertiesForPrefix("Ice"),
    Ice.identityToString(echo.ice_getIdentity()),
]
calls = [echo.ice_invokeAsync("echo", Ice.OperationMode.Normal, b"") for _ in range(100)]
for call in calls:
    call.add_done_callback(lambda future: future.exception())
calls[0].result()
print("answered", *answers, flush=True)
sys.exit(3)
