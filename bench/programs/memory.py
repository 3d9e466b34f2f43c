"""How much resident memory grows, after a warm-up, over many callbacks or over many threads of Ice.

No asynchronous invocations: IcePy 3.8.3 itself never drops its last reference to the future of one, some 3.5 kB each,
and nothing else could be seen beside that.
"""

import sys

from _measured import Echo, OtherEnd, communicator, report, resident_kib, serve

BATCH = 10_000


def callbacks(count):
    """Each is a dispatch on the one server thread."""
    with communicator() as ice:
        adapter, _ = serve(ice, Echo())
        load = OtherEnd("load.py", adapter.getEndpoints()[0].getInfo().port)
        for _ in range(-(-count // BATCH)):
            load.ask(BATCH)
            yield
        load.end()


def threads(count):
    """Each communicator starts one thread that dispatches and one that completes: both come to Python, and end."""
    for _ in range(count // 2):
        with communicator() as ice:
            _, proxy = serve(ice, Echo())
            proxy.ice_getConnectionAsync().result()
            proxy.ice_ping()
        yield


def main():
    kind, count = sys.argv[1], int(sys.argv[2])
    work = {"callbacks": callbacks, "threads": threads}[kind]
    for _ in work(max(200, count // 10)):
        pass
    before = resident_kib()
    for _ in work(count):
        pass
    after = resident_kib()
    report({"growth_mib": (after - before) / 1024, "resident_mib": after / 1024})


main()
