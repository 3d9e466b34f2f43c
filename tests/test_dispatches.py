"""Servants that are coroutines: a dispatch on an event loop answers as with Ice alone, whatever comes of it."""

import textwrap

import pytest
from children import python

import icegil

if icegil.Ice.intVersion() < 30800:
    pytest.skip("Ice 3.7 knows no event loops", allow_module_level=True)

PROGRAM = r"""
    import asyncio, concurrent.futures, contextvars, threading
    import Ice
    from _echo import communicator, serve

    def said(text):
        return (6 + len(text)).to_bytes(4, "little") + b"\1\1" + text.encode()  # an encapsulation

    who = contextvars.ContextVar("who", default="nobody")

    class Servant(Ice.Blobject):
        def ice_invoke(self, arguments, current):
            who.set(current.operation)  # of the thread that Ice calls; the coroutine sees it
            return getattr(self, current.operation)(current)

        async def well(self, current):
            assert asyncio.current_task() is not None
            return True, said(threading.current_thread().name)

        async def waits(self, current):
            await asyncio.sleep(0.001)
            return True, said(who.get())

        async def fails(self, current):
            raise RuntimeError("so it is")

        async def refuses(self, current):
            raise Ice.ObjectNotExistException()

        async def cancels_itself(self, current):
            asyncio.current_task().cancel()
            await asyncio.sleep(3600)

        async def answers_nonsense(self, current):
            return 3

        def at_once(self, current):
            return True, said("at once")

        def raises_at_once(self, current):
            raise Ice.ObjectNotExistException()

        def future_of_python(self, current):
            future = concurrent.futures.Future()
            threading.Timer(0.001, future.set_result, [(True, said("of Python"))]).start()
            return future

        def future_of_ice(self, current):
            future = Ice.Future()
            threading.Timer(0.001, future.set_result, [(True, said("of Ice"))]).start()
            return future

    class Watching(Ice.asyncio.EventLoopAdapter):
        def runCoroutine(self, coroutine):
            future = super().runCoroutine(coroutine)
            assert isinstance(future, concurrent.futures.Future)
            seen.append(coroutine.__name__)
            return future

    class Own(Ice.EventLoopAdapter):
        def __init__(self, loop):
            self.loop = loop
        def runCoroutine(self, coroutine):
            seen.append(coroutine.__name__)
            return asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        def wrapFuture(self, future):
            return Ice.wrap_future(future, loop=self.loop)

    NAMES = [name for name in vars(Servant) if not name.startswith("_") and name != "ice_invoke"]
    seen = []

    async def ask(adapter):
        data = Ice.InitializationData()
        data.properties = Ice.createProperties()
        data.properties.setProperty("Ice.Warn.Dispatch", "0")
        data.eventLoopAdapter = adapter
        async with Ice.Communicator(initData=data) as server, communicator(loop=asyncio.get_running_loop()) as client:
            proxy = client.stringToProxy(str(serve(server, Servant())))
            for name in NAMES:
                try:
                    print(name, await proxy.ice_invokeAsync(name, Ice.OperationMode.Normal, said("")))
                except Ice.Exception as error:
                    last = str(error).splitlines()[-1:]
                    print(name, type(error).__name__, last)
            many = ["waits", "well"] * 100  # many a one shares its wake-up with one of the other kind
            calls = [proxy.ice_invokeAsync(name, Ice.OperationMode.Normal, said("")) for name in many]
            print(sorted(set(await asyncio.gather(*calls))))
            print(*sorted(seen))
            seen.clear()

    async def main():
        loop = asyncio.get_running_loop()
        loop.slow_callback_duration = 3600  # it would be logged
        for adapter in (Ice.asyncio.EventLoopAdapter(loop), Watching(loop), Own(loop)):
            print(type(adapter).__name__)
            await ask(adapter)
"""
RUNNERS = {
    "asyncio": "asyncio.run(main())",
    "asyncio in debug mode": "asyncio.run(main(), debug=True)",
    "eager tasks": """
        async def eagerly():
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
            await main()
        asyncio.run(eagerly())
    """,
    "uvloop": "import uvloop; asyncio.Runner(loop_factory=uvloop.new_event_loop).run(main())",
}


@pytest.mark.parametrize("runner", RUNNERS)
def test_dispatches_answer_as_with_ice_alone(runner: str) -> None:
    program = textwrap.dedent(PROGRAM) + textwrap.dedent(RUNNERS[runner])
    plain, guarded = (python(*words, "-c", program) for words in ((), ("-m", "icegil", "run")))
    assert plain.stdout.count("\n") == 3 * 13, plain
    assert (guarded.stdout, guarded.stderr, guarded.status) == (plain.stdout, "", 0)


def test_the_function_of_another_tool_stays() -> None:
    ended = python(
        "-c",
        textwrap.dedent(
            """
            import asyncio, functools
            import Ice.Dispatch
            def traced(cb, method, args, installed=Ice.Dispatch.dispatch):
                print("traced")
                return installed(cb, method, args)
            Ice.Dispatch.dispatch = traced
            import icegil
            icegil.install()
            from _echo import Echo, communicator, serve
            class Coroutine(Echo):
                async def ice_invoke(self, arguments, current):
                    return True, arguments
            async def main():
                async with communicator(loop=asyncio.get_running_loop()) as ice:
                    nothing = bytes([6, 0, 0, 0, 1, 1])
                    print(await serve(ice, Coroutine()).ice_invokeAsync("echo", Ice.OperationMode.Normal, nothing))
            asyncio.run(main())
            icegil.uninstall()
            assert Ice.Dispatch.dispatch is traced
            """
        ),
    )
    assert (ended.stdout, ended.stderr, ended.status) == ("traced\n(True, b'\\x06\\x00\\x00\\x00\\x01\\x01')\n", "", 0)
