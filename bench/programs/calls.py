"""A client that makes calls of one kind.

asynchronous: two-way, client and server in this process, in batches that are sent before the first answer is looked at
asynchronous-client: the same with the server in another process, which is always plain
synchronous: `ice_ping`, one after the other, to another process, which is run as this one is
synchronous-client: the same to another process that is always plain
synchronous-here: the same with the server in this process
oneway: without answers, to another process
"""

import sys

import Ice
from _measured import Echo, Meter, OtherEnd, communicator, report, serve

BATCH = 1000


def asynchronous(proxy, calls):
    for begun in range(0, calls, BATCH):
        count = min(BATCH, calls - begun)
        futures = [proxy.ice_invokeAsync("echo", Ice.OperationMode.Normal, b"") for _ in range(count)]
        for future in futures:
            future.result()


def synchronous(proxy, calls):
    for _ in range(calls):
        proxy.ice_ping()


def oneway(proxy, calls):
    # To an object that is not there: the server turns it away in C++, or it would be what limits the client.
    nobody = proxy.ice_identity(Ice.stringToIdentity("nobody")).ice_oneway()
    for _ in range(calls):
        nobody.ice_invoke("echo", Ice.OperationMode.Normal, b"")
    proxy.ice_ping()  # answered when all before it were read


CALLS = {"asynchronous": asynchronous, "synchronous": synchronous, "oneway": oneway}


def main():
    kind, calls = sys.argv[1], int(sys.argv[2])
    call = CALLS[kind.partition("-")[0]]
    other_end = (
        None if kind in ("asynchronous", "synchronous-here") else OtherEnd("server.py", same=kind == "synchronous")
    )
    with communicator() as ice:
        proxy = serve(ice, Echo())[1] if other_end is None else ice.stringToProxy(other_end.ask())
        call(proxy, max(1, calls // 10))  # connected, and warm
        with Meter(calls) as meter:
            call(proxy, calls)
        report(meter.figures)
    if other_end is not None:
        other_end.end()


main()
