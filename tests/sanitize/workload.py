"""What programs do with Ice and icegil all day, for a build that looks at every access: tools/sanitize.py runs it."""

import asyncio
import gc
import os
import sys
import tempfile
import threading
import warnings

import icegil
from icegil import Ice
from icegil.commands.torture.scenarios._echo import Echo, communicator, serve, storm
from icegil.commands.torture.scenarios._logger import TRACING, Logger

warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads around
warnings.simplefilter("ignore", ResourceWarning)  # the last communicators are left to icegil


class Coroutines(Echo):
    async def ice_invoke(self, arguments, current):
        await asyncio.sleep(0)
        return True, arguments


class Failing(Echo):
    def ice_invoke(self, arguments, current):
        raise ValueError("on purpose")


def call_all(proxy, count=200):
    for future in storm(proxy, count):
        future.result()


def servants_and_completions():
    with communicator({"Ice.Warn.Dispatch": 0}) as ice:
        call_all(serve(ice))
        failing = serve(ice, Failing())
        for future in storm(failing, 20):
            assert isinstance(future.exception(), Ice.UnknownException)


def every_kind_of_asynchronous_call():
    with communicator({"Ice.Warn.Dispatch": 0}) as ice:
        far = serve(ice)
        oneway, batch, failing = far.ice_oneway(), far.ice_batchOneway(), serve(ice, Failing())
        for _ in range(50):
            far.ice_pingAsync().result()
            far.ice_collocationOptimized(True).ice_pingAsync().result()
            oneway.ice_pingAsync().result()
            batch.ice_pingAsync().result()
            batch.ice_flushBatchRequestsAsync().result()
            far.ice_getConnectionAsync().result()
            failing.ice_pingAsync()
            future = far.ice_pingAsync()
            future.add_done_callback(lambda _: None)
            future.add_sent_callback(lambda *_: None)
            far.ice_pingAsync().cancel()
        far.ice_ping()
    gc.collect()
    left = icegil.status().calls
    assert left.under_way == 0, left


def a_logger_in_python():
    logger = Logger()
    with communicator(TRACING, logger=logger) as ice:
        call_all(serve(ice))
    assert logger.messages


def many_communicators():
    for _ in range(2):
        made = [communicator() for _ in range(10)]
        for ice in made[::2]:
            ice.destroy()
        for ice in made[1::2]:
            icegil.destroy(ice, timeout=30)
        icegil.snapshot()
        icegil.status()


def many_threads():
    with communicator({"Ice.ThreadPool.Server.SizeMax": 4}) as ice:
        proxy = serve(ice)
        threads = [threading.Thread(target=call_all, args=(proxy,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


async def coroutines_and_destructions():
    loop = asyncio.get_running_loop() if hasattr(Ice, "asyncio") else None
    async with communicator(loop=loop) as client:
        for _ in range(3):
            ice = communicator(loop=loop)
            proxy = client.stringToProxy(str(serve(ice, Coroutines())))
            if hasattr(Ice, "asyncio"):
                await asyncio.gather(*map(Ice.wrap_future, storm(proxy, 50)))
            over = icegil.shutdown_completed(ice)
            ice.shutdown()
            await over
            await asyncio.gather(icegil.destroy_async(ice), icegil.destroy_async(ice, timeout=30))


def taken_away_and_put_back():
    with communicator() as ice:
        proxy = serve(ice)
        for mode in ("teardown", "guard", None) * 3:
            icegil.uninstall()
            icegil.install(mode=mode)
            call_all(proxy, 20)


def installed_again():
    async def destroyed(made):
        await asyncio.gather(*map(icegil.destroy_async, made))

    for mode in ("teardown", "guard", None):
        made = [communicator() for _ in range(3)]
        icegil.uninstall()
        icegil.install(mode=mode)
        asyncio.run(destroyed(made))


def recorded():
    icegil.trace.CAPACITY = 64
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(3):
            icegil.trace.start(os.path.join(folder, "at_exit.json"))
            with communicator() as ice:
                call_all(serve(ice), 50)
            icegil.trace.save(os.path.join(folder, "now.json"))
            icegil.trace.stop()
    icegil.trace.start(os.devnull)


def forked():
    with communicator() as ice:
        pending = storm(serve(ice))
        child = os.fork()
        if child == 0:
            sys.exit(5)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
        for future in pending:
            future.result()


def coroutines():
    asyncio.run(coroutines_and_destructions())


def tracked():
    gc.collect()
    return len(gc.get_objects())


PARTS = (
    servants_and_completions,
    a_logger_in_python,
    many_threads,
    recorded,
    forked,
    coroutines,
    taken_away_and_put_back,
)
# Without asynchronous calls: Ice for Python 3.8.3 loses a future for each (`InvocationFuture`, without icegil too).
COUNTED = (many_communicators, installed_again)
ROUNDS = 4

# What only the garbage collector's lists know of is no leak to LeakSanitizer: they are chained together. So: count.
for part in COUNTED:
    part()
    before = tracked()
    for _ in range(ROUNDS):
        part()
    more = tracked() - before
    if more >= ROUNDS:
        sys.exit(f"{part.__name__}: {more} objects left behind by {ROUNDS} rounds")
for part in PARTS:
    part()
left = [communicator() for _ in range(5)]
waiting = [storm(serve(ice)) for ice in left]
