"""Nothing is kept of an asynchronous call that the program has let go of, and nothing is given back that is needed."""

import shutil
import subprocess
import textwrap
from pathlib import Path

import Ice
import pytest
from children import python

NATIVE = Path(__file__).parent / "native"
OF_3_7 = Ice.intVersion() < 30800

pytestmark = pytest.mark.skipif(not hasattr(Ice, "Future"), reason="Ice 3.6 has no futures")

# Each operation is done until its call is over, and every future must be gone by then: without the garbage collector,
# and with every thread of Ice at rest. A reference too few is a crash, now or as the program ends.
PROGRAM = """
    import asyncio, gc, threading, time, weakref
    from icegil import Ice
    import icegil._bridge as bridge
    from _echo import Echo, communicator, serve

    NORMAL, EMPTY = Ice.OperationMode.Normal, bytes([6, 0, 0, 0, 1, 1])
    LARGE = (100_006).to_bytes(4, "little") + bytes([1, 1]) + bytes(100_000)

    class Servant(Echo):
        def ice_invoke(self, arguments, current):
            if current.operation == "raise":
                raise Ice.ObjectNotExistException()
            if current.operation == "wait":
                may_answer.wait(20)
            return True, arguments

    def ends(future):
        try:
            return future.result(20)
        except Ice.Exception as error:
            return type(error).__name__

    def are_gone(before):
        deadline = time.monotonic() + 10
        while bridge.futures()["alive"] > before and time.monotonic() < deadline:
            time.sleep(0.001)
            if {raises}:  # an exception, its traceback, and the frame that has the future: a cycle of the program's
                gc.collect()
        return bridge.futures()["alive"] - before

    may_answer = threading.Event()
    gc.disable()
    with communicator({{"Ice.Warn.Dispatch": 0, "Ice.ThreadPool.Server.Size": 2}}) as ice:
        far = serve(ice, Servant())
        near = far.ice_collocationOptimized(True)
        udp = serve(ice, endpoints="udp -h 127.0.0.1").ice_datagram() if {udp} else None
        nobody = ice.stringToProxy("nobody:tcp -h 127.0.0.1 -p 1 -t 1000")
        far.ice_ping()
        before = bridge.futures()["alive"]

        def operation():
            the_operation()

        for _ in range(50):
            operation()
        print("left", are_gone(before))
        print("begun", bridge.futures()["begun"] - bridge.futures()["over"])
    print("given back", bridge.ownership()["given_back"])
    """

OPERATIONS = {
    "two-way": 'far.ice_invokeAsync("echo", NORMAL, EMPTY).result()',
    "two-way, typed": "far.ice_pingAsync().result()",
    "two-way, never looked at": 'far.ice_invokeAsync("echo", NORMAL, EMPTY)',
    "large": 'assert far.ice_invokeAsync("echo", NORMAL, LARGE).result() == (True, LARGE)',
    "collocated": 'near.ice_invokeAsync("echo", NORMAL, EMPTY).result()',
    "raises": 'assert ends(far.ice_invokeAsync("raise", NORMAL, EMPTY)) == "ObjectNotExistException"',
    "oneway": 'far.ice_oneway().ice_invokeAsync("echo", NORMAL, EMPTY).result()',
    "oneway, collocated": 'near.ice_oneway().ice_invokeAsync("echo", NORMAL, EMPTY).result()',
    "datagram": 'udp.ice_invokeAsync("echo", NORMAL, EMPTY).result()',
    "batch": """
        batch = far.ice_batchOneway()
        batch.ice_invokeAsync("echo", NORMAL, EMPTY).result()
        batch.ice_flushBatchRequestsAsync().result()
        """,
    "connection": "far.ice_getConnectionAsync().result()",
    "nobody listens": 'assert ends(nobody.ice_invokeAsync("echo", NORMAL, EMPTY)) == "ConnectionRefusedException"',
    "takes too long": """
        may_answer.clear()
        future = far.ice_invocationTimeout(1).ice_invokeAsync("wait", NORMAL, EMPTY)
        assert ends(future) == "InvocationTimeoutException"
        may_answer.set()
        """,
    "cancelled": """
        may_answer.clear()
        future = far.ice_invokeAsync("wait", NORMAL, EMPTY)
        future.cancel()
        assert ends(future) == "InvocationCanceledException"
        may_answer.set()
        """,
    "callbacks": """
        done, sent = threading.Event(), threading.Event()
        future = far.ice_invokeAsync("echo", NORMAL, EMPTY)
        future.add_done_callback(lambda _: done.set())
        future.add_sent_callback(lambda *_: sent.set())
        done.wait(20), sent.wait(20)
        """,
    "from a callback": """
        done = threading.Event()
        def again(_):
            far.ice_pingAsync().add_done_callback(lambda _: done.set())
        far.ice_pingAsync().add_done_callback(again)
        done.wait(20)
        """,
    "from a thread": """
        thread = threading.Thread(target=lambda: far.ice_pingAsync().result())
        thread.start()
        thread.join()
        """,
    "late callbacks": """
        future = far.ice_oneway().ice_pingAsync()
        future.result()
        seen = threading.Event()
        future.add_done_callback(lambda _: seen.set())
        seen.wait(20)
        """,
    "dies in its own thread": """
        future = far.ice_pingAsync()
        future.result()
        gone = weakref.ref(future)
        del future
        """,
}
ONLY_3_7 = {
    "callbacks of Ice 3.7": """
        future = far.ice_oneway().ice_invokeAsync("echo", NORMAL, EMPTY)
        future.result()
        seen = threading.Event()
        future.add_done_callback_async(lambda _: seen.set())
        assert seen.wait(20)
        assert future.proxy() and future.communicator() is ice and future.operation() == "ice_invoke"
        """,
}
OF_THIS_VERSION = {**OPERATIONS, **(ONLY_3_7 if OF_3_7 else {})}


def program(operation: str) -> str:
    indented = textwrap.indent(textwrap.dedent(operation).strip(), " " * 8).strip()
    text = textwrap.dedent(PROGRAM.format(udp="udp" in operation, raises="ends(" in operation))
    return text.replace("the_operation()", indented)


@pytest.mark.parametrize("name", OF_THIS_VERSION)
def test_nothing_is_left_of_a_call(name: str) -> None:
    ended = python("-c", program(OF_THIS_VERSION[name]))
    assert (ended.status, ended.stderr) == (0, ""), ended
    assert ended.stdout.startswith("left 0\nbegun 0\n"), ended


IN_A_LOOP = """
    import asyncio, gc, time
    from icegil import Ice
    import icegil._bridge as bridge
    from _echo import communicator, serve

    class Stubborn(Ice.EventLoopAdapter):
        def runCoroutine(self, coroutine):
            raise NotImplementedError
        def wrapFuture(self, future):
            raise LookupError("this adapter wraps nothing")

    async def main():
        async with communicator(loop=asyncio.get_running_loop()) as client:
            proxy = client.stringToProxy(str(far))
            for _ in range(50):
                await proxy.ice_pingAsync()
                await proxy.ice_oneway().ice_pingAsync()
            await asyncio.gather(*[proxy.ice_pingAsync() for _ in range(50)])
            cancelled = [proxy.ice_pingAsync() for _ in range(50)]
            for each in cancelled:
                each.cancel()
            await asyncio.gather(*cancelled, return_exceptions=True)

    gc.disable()
    with communicator() as ice:
        far = serve(ice)
        asyncio.run(main())
        data = Ice.InitializationData()
        data.eventLoopAdapter = Stubborn()
        with Ice.Communicator(initData=data) as client:
            proxy = client.stringToProxy(str(far))
            for _ in range(50):
                try:
                    proxy.ice_pingAsync()
                except LookupError:
                    pass
            proxy.ice_ping()
    deadline = time.monotonic() + 10
    while bridge.futures()["alive"] and time.monotonic() < deadline:
        gc.collect()  # a task that is cancelled and what it waits for are a cycle of asyncio's own
    print(bridge.futures()["alive"])
    """


@pytest.mark.skipif(OF_3_7, reason="communicators of Ice 3.7 know no event loops")
def test_nothing_is_left_of_calls_on_an_event_loop() -> None:
    ended = python("-c", textwrap.dedent(IN_A_LOOP))
    assert (ended.status, ended.stdout, ended.stderr) == (0, "0\n", ""), ended


MENDED = """
    import ctypes, gc, weakref
    from icegil import Ice
    import icegil._bridge as bridge
    import icegil.redirects as redirects
    from _echo import communicator, serve

    library = ctypes.PyDLL({library!r})
    libc = ctypes.CDLL(None, use_errno=True)

    def mend():
        "Has the import lead to the mended one, and that on to icegil's."
        for function, redirect in redirects.known():
            if function.name == "PyObject_GetAttrString":
                for address, _ in redirect.slots:
                    page = address & ~0xFFF
                    assert libc.mprotect(ctypes.c_void_p(page), 0x2000, 3) == 0
                    slot = ctypes.c_void_p.from_address(address)
                    ctypes.c_void_p.in_dll(library, "next").value = slot.value
                    slot.value = ctypes.cast(library.mended_PyObject_GetAttrString, ctypes.c_void_p).value

    with communicator() as ice:
        far = serve(ice)
        far.ice_ping()
        {mend}
        for _ in range(2000):
            future = far.ice_pingAsync()
            future.result()
            far.ice_oneway().ice_pingAsync().result()
        gone = weakref.ref(future)
        del future
    print(gone(), bridge.ownership())
    """


@pytest.mark.skipif(OF_3_7, reason="Ice 3.7 takes no reference too many")
def test_an_ice_that_is_mended_is_robbed_of_nothing(tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    library = tmp_path / "libmended.so"
    command = ["g++", "-std=c++17", "-O1", "-fPIC", "-shared", NATIVE / "mended_icepy.cpp", "-o", library]
    subprocess.run(list(map(str, command)), check=True)
    for mend, found in (("pass", (True, 4000)), ("mend()", (False, 0))):
        ended = python("-c", textwrap.dedent(MENDED.format(library=str(library), mend=mend)))
        said = {"is_known": True, "takes_too_many": found[0], "given_back": found[1]}
        assert (ended.status, ended.stdout, ended.stderr) == (0, f"None {said}\n", ""), ended


UNSEEN = """
    import sys
    from icegil import Ice
    from _echo import communicator, serve

    class Failing(Ice.Blobject):
        def ice_invoke(self, arguments, current):
            raise Ice.ObjectNotExistException()

    with communicator() as ice:
        proxy = serve(ice, Failing())
        future = proxy.ice_pingAsync()
        proxy.ice_oneway().ice_pingAsync().result()
        while not future.done():
            pass
        {look}
        del future
    """


@pytest.mark.parametrize(
    ("look", "options", "is_told"),
    [("", ["-X", "dev"], True), ("future.exception()", ["-X", "dev"], False), ("", [], False)],
)
def test_a_call_that_fails_unseen_is_told_of_in_development_mode(look: str, options: list[str], is_told: bool) -> None:
    ended = python(*options, "-c", textwrap.dedent(UNSEEN.format(look=look)))
    said = "ResourceWarning: nobody has looked at the result of an asynchronous call, which has failed: "
    assert (ended.status, ended.stderr.count(said)) == (0, is_told), ended
    assert is_told or not ended.stderr, ended
    # Beside those there are lines of the program's code only.
    assert all("ResourceWarning: " in line or line.startswith("  ") for line in ended.stderr.splitlines()), ended
