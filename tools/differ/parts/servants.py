"""Servants: busy, printing, stuck, slow to answer; coroutines, futures, locators."""

from __future__ import annotations

from tools.differ.part import Part

COROUTINES = """
servant_loop = asyncio.new_event_loop()
threading.Thread(target=servant_loop.run_forever, daemon=True).start()
coroutine_data = Ice.InitializationData()
coroutine_data.eventLoopAdapter = Ice.asyncio.EventLoopAdapter(servant_loop)
coroutine_ice = communicator(coroutine_data, quiet)
coroutine_adapter = coroutine_ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
coroutine_adapter.activate()


class Coroutines(Ice.Blobject):
    async def ice_invoke(self, arguments, current):
        await asyncio.sleep({{0|0.001|0.01}})
        return True, EMPTY


coroutines_made = coroutine_adapter.add(Coroutines(), Ice.stringToIdentity("coroutines"))
coroutines = client.stringToProxy(str(coroutines_made)).ice_collocationOptimized(False)
answers = [call_async("echo", coroutines) for _ in range({{1|20}})]
answers[0].result()
"""


def _stuck(name: str, how: str, weight: float = 0.3) -> Part:
    """A servant that does not return."""
    body = f"""
entered = threading.Event()


def stick():
    entered.set()
    {how}


operations["stick"] = stick
stuck = call_async("stick")
entered.wait()
"""
    return Part(name, body, group="stuck", weight=weight, is_stuck=True)


PARTS = [
    _stuck("a servant waits for ever", "threading.Event().wait()", weight=0.6),
    _stuck("a servant sleeps for ever", "time.sleep(3600)"),
    _stuck("a servant computes for ever", "while True:\n        sum(range(1000))"),
    _stuck("a servant prints for ever", "while True:\n        print('busy')"),
    _stuck("a servant waits in C for ever", "select.select([], [], [])"),
    Part(
        "a servant takes its time",
        """
        operations["slow"] = lambda: time.sleep({{0.02|0.1|0.2}})
        slow = [call_async("slow") for _ in range({{1|3}})]
        """,
        weight=1.5,
    ),
    Part(
        "a servant computes for a while",
        """
        def compute_for_a_while():
            end = time.monotonic() + {{0.02|0.1}}
            while time.monotonic() < end:
                sum(range(100))


        operations["compute"] = compute_for_a_while
        computed = [call_async("compute") for _ in range(3)]
        """,
    ),
    Part(
        "servants print",
        """
        operations["print"] = lambda: print("a servant was here")
        printed = [call_async("print") for _ in range({{3|100}})]
        printed[0].exception()  # there is one if stdout is closed
        """,
        weight=1.5,
    ),
    Part(
        "servants print at once",
        """
        operations["say"] = lambda: print("a servant says so", flush=True)
        said = [call_async("say") for _ in range(50)]
        """,
        prints=True,
    ),
    Part(
        "a servant fails",
        """
        def fail_to_answer():
            raise LookupError("nothing here")


        operations["fail"] = fail_to_answer
        failed = [call_async("fail") for _ in range(5)]
        """,
    ),
    Part(
        "a servant calls another one",
        """
        second = serve("second", Servant()).ice_invocationTimeout(300)
        operations["on"] = lambda: call("echo", second)
        calls_on = [call_async("on") for _ in range({{1|20}})]
        """,
    ),
    Part(
        "a servant waits until the main thread has ended",
        """
        def wait_for_main():
            while threading.main_thread().is_alive():
                time.sleep(0.005)


        operations["outlive"] = wait_for_main
        outliving = call_async("outlive")
        """,
        weight=0.5,
        is_stuck=True,
    ),
    Part(
        "servants answer with futures of a thread",
        """
        questions = queue.SimpleQueue()


        class Promising(Ice.Blobject):
            def ice_invoke(self, arguments, current):
                promise = Ice.Future()
                questions.put(promise)
                return promise


        def keep_promises():
            while True:
                questions.get().set_result((True, EMPTY))


        threading.Thread(target=keep_promises, daemon=True).start()
        promising = serve("promising", Promising())
        promises = [call_async("echo", promising) for _ in range(50)]
        """,
    ),
    Part("coroutine servants", COROUTINES, group="coroutines", need="Ice 3.8", weight=1.5),
    Part(
        "coroutine servants whose loop is stopped",
        COROUTINES + "servant_loop.call_soon_threadsafe(servant_loop.stop)\n",
        group="coroutines",
        need="Ice 3.8",
        weight=0.5,
        is_stuck=True,
    ),
    Part(
        "a servant locator",
        """
        class Locator(Ice.ServantLocator):
            def locate(self, current):
                return Servant(), object()

            def finished(self, current, servant, cookie):
                pass

            def deactivate(self, category):
                print("deactivated")


        adapter.addServantLocator(Locator(), "category")
        located = adapter.createProxy(Ice.stringToIdentity("category/it")).ice_collocationOptimized(False)
        found = [call_async("echo", located) for _ in range({{1|20}})]
        """,
    ),
    Part(
        "a default servant",
        """
        adapter.addDefaultServant(Servant(), "any")
        anybody = adapter.createProxy(Ice.stringToIdentity("any/one")).ice_collocationOptimized(False)
        defaults = [call_async("echo", anybody) for _ in range(20)]
        """,
        weight=0.5,
    ),
    Part(
        "collocated calls",
        """
        here = adapter.createProxy(Ice.stringToIdentity("servant"))
        collocated = [call_async("echo", here) for _ in range(20)]
        call("echo", here)
        """,
    ),
    Part(
        "a servant shuts its communicator down",
        """
        other = communicator(Ice.InitializationData(), quiet)
        other_adapter = other.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
        other_adapter.activate()


        class Closing(Ice.Blobject):
            def ice_invoke(self, arguments, current):
                other.shutdown()
                return True, EMPTY


        other_proxy = client.stringToProxy(str(other_adapter.add(Closing(), Ice.stringToIdentity("closing"))))
        call("close", other_proxy.ice_collocationOptimized(False))
        other.waitForShutdown()
        """,
    ),
]
