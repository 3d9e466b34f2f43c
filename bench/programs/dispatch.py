"""A server that answers requests, by a plain servant or by coroutines, while another process asks."""

import asyncio
import contextlib
import sys

from _measured import CoroutineEcho, Echo, Meter, OtherEnd, communicator, report, runner, serve


@contextlib.contextmanager
def load_on(adapter):
    load = OtherEnd("load.py", adapter.getEndpoints()[0].getInfo().port)
    yield load
    load.end()


def plain(calls, threads):
    with communicator({"Ice.ThreadPool.Server.Size": threads}) as ice:
        adapter, _ = serve(ice, Echo())
        with load_on(adapter) as load:
            load.ask(max(1, calls // 10))
            with Meter(calls) as meter:
                load.ask(calls)
    return meter.figures


async def coroutines(calls):
    loop = asyncio.get_running_loop()
    ice = communicator(loop=loop)
    adapter, _ = serve(ice, CoroutineEcho())
    with load_on(adapter) as load:
        await loop.run_in_executor(None, load.ask, max(1, calls // 10))
        with Meter(calls) as meter:
            await loop.run_in_executor(None, load.ask, calls)
    await loop.run_in_executor(None, ice.destroy)
    return meter.figures


def main():
    kind, calls, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if kind == "plain":
        report(plain(calls, threads))
        return
    with runner(kind) as loop:
        report(loop.run(coroutines(calls)))


main()
