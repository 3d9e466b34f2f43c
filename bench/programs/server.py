"""The server of clients that are measured: says where it is, and ends when its standard input does.

With the argument `coroutine` its servant is one, on an event loop of asyncio.
"""

import asyncio
import sys

from _measured import CoroutineEcho, Echo, communicator, serve

WARN_OF_NOTHING = {"Ice.Warn.Dispatch": 0}
kept = []  # or the last proxy goes, plain, while the thread that destroys wants the GIL: its end is waited for with it


def answer_where(proxy):
    for _ in sys.stdin:
        print(proxy, flush=True)


async def on_loop():
    loop = asyncio.get_running_loop()
    async with communicator(WARN_OF_NOTHING, loop=loop) as ice:
        _, proxy = serve(ice, CoroutineEcho())
        kept.append(proxy)
        await loop.run_in_executor(None, answer_where, proxy)


def main():
    if "coroutine" in sys.argv[1:]:
        asyncio.run(on_loop())
        return
    with communicator(WARN_OF_NOTHING) as ice:
        _, proxy = serve(ice, Echo())
        answer_where(proxy)


main()
