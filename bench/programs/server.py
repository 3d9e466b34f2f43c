"""The server of clients that are measured: says where it is, and ends when its standard input does."""

import sys

from _measured import Echo, communicator, serve

with communicator({"Ice.Warn.Dispatch": 0}) as ice:
    _, proxy = serve(ice, Echo())
    for _ in sys.stdin:
        print(proxy, flush=True)
