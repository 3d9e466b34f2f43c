"""The compiled futures beside the installed ones: the same histories, the same answers; waits, and what holds them."""

import asyncio
import logging
import signal
import textwrap
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from children import python
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import icegil
from icegil import Ice, futures

if not hasattr(Ice, "Future"):
    pytest.skip("Ice 3.6 has no futures", allow_module_level=True)

COMPILED = futures.classes(Ice)
INSTALLED = {name: vars(cls)["_installed"] for name, cls in COMPILED.items()}
OF_3_7 = Ice.intVersion() < 30800


@pytest.fixture(autouse=True, scope="module")
def installed() -> Iterator[None]:
    """Other tests of the same process take icegil away."""
    was = icegil.status().mode
    icegil.install()
    yield
    if was == "off":
        icegil.uninstall()


class Silent(Ice.Blobject):
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.answer = threading.Event()

    def ice_invoke(self, parameters: bytes, current: Any) -> tuple[bool, bytes]:
        self.answer.wait()
        return True, parameters


class IceLog(Ice.Logger):  # type: ignore[misc]
    """Where Ice 3.7 says what callbacks have raised: how that begins, and ends."""

    said: ClassVar[list[tuple[str, str]]] = []

    def warning(self, message: str) -> None:
        lines = message.splitlines()
        self.said.append((lines[0], lines[-1]))

    def error(self, message: str) -> None: ...
    def trace(self, category: str, message: str) -> None: ...
    def print(self, message: str) -> None: ...
    def getPrefix(self) -> str:
        return ""

    def cloneWithPrefix(self, prefix: str) -> "IceLog":
        return self


@pytest.fixture(scope="module")
def context(installed: None) -> Iterator[Any]:
    """What IcePy has given the future of a call: it cancels something real."""
    silent = Silent()
    data = Ice.InitializationData()
    data.logger = IceLog()
    communicator = Ice.initialize(data) if OF_3_7 else Ice.Communicator(initData=data)
    adapter = communicator.createObjectAdapterWithEndpoints("a", "tcp -h 127.0.0.1")
    proxy = communicator.stringToProxy(str(adapter.addWithUUID(silent))).ice_collocationOptimized(False)
    adapter.activate()
    yield proxy.ice_invokeAsync("wait", Ice.OperationMode.Normal, bytes([6, 0, 0, 0, 1, 1]))._asyncResult
    silent.answer.set()
    communicator.destroy()


def made(classes: dict[str, type[Any]], kind: str, context: Any) -> Any:
    """A future of one of these classes, of its own or of a call, as IcePy would make it."""
    if kind == "Future":
        return classes["Future"]()
    return classes["InvocationFuture"](*(["op", context] if OF_3_7 else [context]))


class Log(logging.Handler):
    """The records of a logger: what they say, and of which exception."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.said.append((record.levelname, record.getMessage(), repr(error)))


class Boom(Exception):
    pass


class Bang(BaseException):
    pass


def answer(ask: Callable[[], Any]) -> Any:
    try:
        result = ask()
        return "returns", repr(result) if isinstance(result, Exception) else result
    except TypeError as error:  # the message is Python's, of what was done with the number
        return "raises", type(error)
    except BaseException as error:
        return "raises", type(error), error.args


STEPS: dict[str, Callable[[Any, list[Any]], Any]] = {
    "set_result": lambda future, _: future.set_result(7),
    "set_result None": lambda future, _: future.set_result(None),
    "set_exception": lambda future, _: future.set_exception(Boom("it failed")),
    "cancel": lambda future, _: future.cancel(),
    "cancelled": lambda future, _: future.cancelled(),
    "running": lambda future, _: future.running(),
    "done": lambda future, _: future.done(),
    "result": lambda future, _: future.result(timeout=0.001),
    "exception": lambda future, _: future.exception(0.001),
    "negative": lambda future, _: future.result(-1),
    "no number": lambda future, _: future.result("1"),
    "callback": lambda future, calls: future.add_done_callback(lambda one: calls.append(one is future)),
    "callback raises": lambda future, _: future.add_done_callback(lambda _: raise_it(Boom("done"))),
    "callback raises no Exception": lambda future, _: future.add_done_callback(lambda _: raise_it(Bang("done"))),
    "callback cancels": lambda future, calls: future.add_done_callback(lambda one: calls.append(one.cancel())),
    "callback adds": lambda future, calls: future.add_done_callback(
        lambda one: one.add_done_callback(lambda _: calls.append("added"))
    ),
    "await": lambda future, _: await_once(future),
}
STEPS_OF_CALLS: dict[str, Callable[[Any, list[Any]], Any]] = {
    "set_sent": lambda future, _: future.set_sent(True),
    "set_sent late": lambda future, _: future.set_sent(False),
    "is_sent": lambda future, _: future.is_sent(),
    "is_sent_synchronously": lambda future, _: future.is_sent_synchronously(),
    "sent": lambda future, _: future.sent(0.001),
    "sent callback": lambda future, calls: future.add_sent_callback(
        lambda *given: calls.append([one if isinstance(one, bool) else one is future for one in given])
    ),
    "sent callback raises": lambda future, _: future.add_sent_callback(lambda *_: raise_it(Boom("sent"))),
}


def raise_it(error: BaseException) -> None:
    raise error


def await_once(future: Any) -> Any:
    steps = future.__await__()
    try:
        return "waits for itself", steps.send(None) is future
    except StopIteration as end:
        return "returns", end.value


def history(classes: dict[str, type[Any]], kind: str, steps: list[str], context: Any) -> list[Any]:
    """What a future answers to each of these steps, which callbacks are called, and what is logged."""
    every = {**STEPS, **STEPS_OF_CALLS}
    log, logger = Log(), logging.getLogger("Ice.Future")
    logger.addHandler(log)
    logger.propagate = False
    try:
        IceLog.said.clear()
        calls: list[Any] = []
        future = made(classes, kind, context)
        answers = [(step, answer(lambda: every[step](future, calls)), list(calls)) for step in steps]  # noqa: B023
        return [answers, log.said, list(IceLog.said)]
    finally:
        logger.removeHandler(log)
        logger.propagate = True


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=12))
@settings(max_examples=300, deadline=None, database=None)
def test_a_future_answers_as_the_installed_one(steps: list[str]) -> None:
    assert history(COMPILED, "Future", steps, None) == history(INSTALLED, "Future", steps, None)


@given(steps=st.lists(st.sampled_from(sorted({**STEPS, **STEPS_OF_CALLS})), max_size=12))
@settings(max_examples=300, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_future_of_a_call_answers_as_the_installed_one(context: Any, steps: list[str]) -> None:
    ours, installed = (history(classes, "InvocationFuture", steps, context) for classes in (COMPILED, INSTALLED))
    assert ours == installed


def test_they_have_what_the_installed_ones_have() -> None:
    for name, cls in COMPILED.items():
        public = {each for each in dir(INSTALLED[name]) if not each.startswith("_")}
        assert {each for each in dir(cls) if not each.startswith("_")} == public
        assert (cls.__name__, cls.__module__) == (INSTALLED[name].__name__, INSTALLED[name].__module__)


def test_isinstance_says_what_it_says_of_the_installed_ones() -> None:
    class Old(INSTALLED["Future"]):  # type: ignore[misc]  # of a program that was there before
        pass

    class New(Ice.Future):  # type: ignore[misc]
        pass

    assert isinstance(Ice.Future(), INSTALLED["Future"])
    for cls in (Old, New, INSTALLED["Future"]):
        assert isinstance(cls(), Ice.Future) and issubclass(cls, Ice.Future)
        assert not isinstance(cls(), Ice.InvocationFuture) and not issubclass(cls, Ice.InvocationFuture)
    assert issubclass(Ice.InvocationFuture, Ice.Future)
    assert issubclass(INSTALLED["InvocationFuture"], Ice.Future)
    assert not isinstance(Ice.Future(), New) and not isinstance(Old(), New)
    assert not isinstance(3, Ice.Future)
    assert isinstance(Ice.Future.completed(3), Ice.Future) and Ice.Future.completed(3).result() == 3


def test_a_subclass_of_a_programs_is_a_future() -> None:
    class Mine(Ice.Future):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[Any] = []

        def set_result(self, result: Any) -> None:
            self.seen.append(result)
            super().set_result(result)

    mine = Mine()
    mine.set_result(3)
    assert (mine.result(), mine.seen) == (3, [3])


def test_who_waits_is_woken() -> None:
    for end in ("set_result", "set_exception", "cancel"):
        future = Ice.Future()
        ends: list[Any] = []
        waiting = [threading.Thread(target=lambda: ends.append(answer(lambda: future.result(20)))) for _ in range(4)]  # noqa: B023
        for thread in waiting:
            thread.start()
        while len(_locks_of(future)) < 4:
            time.sleep(0.001)
        getattr(future, end)(*({"set_result": [3], "set_exception": [Boom()]}.get(end, [])))
        for thread in waiting:
            thread.join(20)
        kind = {"set_result": ("returns", 3), "set_exception": ("raises", Boom, ())}
        assert ends == [kind.get(end, ("raises", Ice.InvocationCanceledException, ends[0][-1]))] * 4


def _locks_of(future: Any) -> list[Any]:
    import gc

    lists = [each for each in gc.get_referents(future) if isinstance(each, list)]
    return [lock for each in lists for lock in each if "lock" in type(lock).__name__]


def test_a_wait_that_takes_too_long_leaves_nothing() -> None:
    future = Ice.Future()
    for _ in range(3):
        with pytest.raises(Ice.TimeoutException):
            future.result(0.001)
    assert _locks_of(future) == []


def test_a_signal_handler_that_raises_ends_a_wait_and_the_future_lives_on() -> None:
    future = Ice.Future()

    def raises(*_: object) -> None:
        raise Boom("an alarm")

    before = signal.signal(signal.SIGALRM, raises)
    try:
        for _ in range(20):
            signal.setitimer(signal.ITIMER_REAL, 0.002)
            with pytest.raises(Boom):
                future.result()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    thread = threading.Thread(target=future.set_result, args=(3,))
    thread.start()
    assert future.result(20) == 3
    thread.join()


def test_a_future_may_be_awaited_and_wrapped() -> None:
    async def main() -> tuple[Any, Any]:
        future = Ice.Future()
        wrapped = Ice.wrap_future(future)
        threading.Thread(target=future.set_result, args=(3,)).start()
        return await wrapped, await future

    assert asyncio.run(main()) == (3, 3)


def test_what_completes_while_it_is_wrapped_reaches_the_loop() -> None:
    class CompletesMeanwhile(asyncio.Future[Any]):  # as a thread of Ice does that gets the GIL in between
        def add_done_callback(self, *arguments: Any, **context: Any) -> None:
            super().add_done_callback(*arguments, **context)
            future.set_result(3)

    class Loop(asyncio.SelectorEventLoop):
        def create_future(self) -> asyncio.Future[Any]:
            return CompletesMeanwhile(loop=self)

    async def main() -> None:
        assert await asyncio.wait_for(Ice.wrap_future(future), timeout=20) == 3

    future = Ice.Future()
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(main())


CTRL_C = """
    import asyncio, os, signal, threading
    import Ice
    from _echo import Echo, communicator, serve

    class Interrupting(Echo):
        def ice_invoke(self, arguments, current):
            if current.operation == "interrupts":
                os.kill(os.getpid(), signal.SIGINT)
                go.wait()
            while current.operation == "insists" and not go.wait(1):
                os.kill(os.getpid(), signal.SIGINT)
            return True, arguments

    def ask(operation):
        return proxy.ice_invokeAsync(operation, Ice.OperationMode.Normal, bytes([6, 0, 0, 0, 1, 1]))

    go = threading.Event()
    proxy = serve(communicator({"Ice.ThreadPool.Server.Size": 4}), Interrupting())
    interrupted = []
    try:
        THE_WAIT
    except KeyboardInterrupt:
        print("interrupted")
    go.set()
    calls = [*interrupted, *[ask("echo") for _ in range(100)]]
    print({call.result()[0] for call in calls})
"""
WAITS = {
    "result": """
        interrupted.append(ask("interrupts"))
        interrupted[0].result()
    """,
    "exception, with a timeout": """
        interrupted.append(ask("interrupts"))
        interrupted[0].exception(60)
    """,
    "await": """
        async def main():
            # Insists: Python does not notice what comes right before the loop's `select`, with or without Ice.
            await Ice.wrap_future(ask("insists"))
        asyncio.run(main())
    """,
    "a late callback": """
        interrupted.append(ask("echo"))
        interrupted[0].result()
        interrupted[0].add_done_callback(lambda _: signal.raise_signal(signal.SIGINT))
    """,
}


@pytest.mark.parametrize("where", WAITS)
def test_ctrl_c_ends_a_wait_and_calls_go_on(where: str) -> None:
    wait = textwrap.indent(textwrap.dedent(WAITS[where]).strip(), " " * 4).strip()
    ended = python("-m", "icegil", "run", "-c", textwrap.dedent(CTRL_C).replace("THE_WAIT", wait))
    assert (ended.stdout, ended.stderr, ended.status) == ("interrupted\n{True}\n", "", 0)


def test_nothing_holds_a_future_that_was_let_go_of() -> None:
    future = Ice.Future()
    future.set_exception(Boom())
    with pytest.raises(Boom):
        future.result()
    gone = weakref.ref(future)
    del future
    assert gone() is None
