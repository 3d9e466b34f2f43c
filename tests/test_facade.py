"""The public functions keep their promises, and turn bad arguments away at once, by name."""

import asyncio
import dataclasses
import functools
import io
import json
import math
import re
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import uvloop
from children import python
from hypothesis import given, settings
from hypothesis import strategies as st

import icegil
from icegil.commands.torture.endings import Ending

RUNNERS = {
    "asyncio": asyncio.run,
    "asyncio in debug mode": functools.partial(asyncio.run, debug=True),
    "uvloop": uvloop.run,
}
on_each_loop = pytest.mark.parametrize("runner", RUNNERS.values(), ids=RUNNERS.keys())


def child(code: str, *flags: str, **environment: str) -> Ending:
    """How a Python program ends."""
    return python(*flags, "-c", textwrap.dedent(code), **environment)


def check_says(expected: str, code: str, *flags: str, **environment: str) -> None:
    """Fails unless a program prints this and no more, says nothing on stderr, and ends well."""
    ended = child(code, *flags, **environment)
    assert (ended.stdout, ended.stderr, ended.status) == (textwrap.dedent(expected), "", 0)


@pytest.fixture(autouse=True)
def nothing_installed() -> Iterator[None]:
    """Each test begins and ends without icegil in place."""
    icegil.uninstall()
    yield
    icegil.uninstall()


@pytest.fixture(params=["teardown", "auto"])
def ice(request: pytest.FixtureRequest) -> ModuleType:
    """The Ice module, with icegil in place."""
    return icegil.install(mode=request.param)


@pytest.fixture
def communicator(ice: ModuleType) -> Iterator[Any]:
    """A communicator; destroyed afterwards."""
    made = new_communicator()
    yield made
    icegil.destroy(made)


def new_communicator(**settings: Any) -> Any:
    """A new communicator, on any version of Ice."""
    from icegil.commands.torture.scenarios import _echo

    return _echo.communicator(**settings)


def has_ended(communicator: Any) -> bool:
    """Whether the communicator was destroyed."""
    try:
        communicator.getDefaultLocator()
    except icegil.Ice.CommunicatorDestroyedException:
        return True
    return False


class Dispatch:
    """A dispatch that lasts until it is told to end, so that a destruction does as well."""

    def __init__(self, communicator: Any) -> None:
        from icegil.commands.torture.scenarios import _echo

        entered, self._may_end = threading.Event(), threading.Event()

        class Slow(_echo.Echo):
            def ice_invoke(_, arguments: Any, current: Any) -> Any:
                entered.set()
                self._may_end.wait()
                return True, arguments

        proxy = _echo.serve(communicator, Slow())
        self._call = proxy.ice_invokeAsync("slow", icegil.Ice.OperationMode.Normal, b"")
        entered.wait()

    def __enter__(self) -> "Dispatch":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        self._may_end.set()


# --- Arguments ------------------------------------------------------------------------------------------------------

FUNCTIONS: list[Callable[..., Any]] = [icegil.destroy, icegil.destroy_async, icegil.shutdown_completed]
WITH_TIMEOUT = FUNCTIONS[:2]

NOT_COMMUNICATORS: dict[str, Callable[[Any], object]] = {
    "None": lambda made: None,
    "a number": lambda made: 3,
    "a proxy": lambda made: made.stringToProxy("identity:tcp -h 127.0.0.1 -p 1"),
    "the class": type,
    "the module": lambda made: icegil.Ice,
    "the properties": lambda made: made.getProperties(),
    "the C++ object": lambda made: made._impl,
}


def of_function(function: Callable[..., Any]) -> str:
    return function.__name__


async def call(function: Callable[..., Any], *arguments: Any, **named: Any) -> None:
    """Calls a function in a running loop; what it returns is thrown away: it must fail at the call."""
    function(*arguments, **named)


@pytest.mark.parametrize("function", FUNCTIONS, ids=of_function)
@pytest.mark.parametrize("wrong", NOT_COMMUNICATORS)
def test_what_is_no_communicator_is_a_type_error_at_the_call(
    wrong: str, function: Callable[..., Any], communicator: Any
) -> None:
    thing = NOT_COMMUNICATORS[wrong](communicator)
    message = re.escape(f"an Ice.Communicator is needed, not {type(thing).__name__}")
    with pytest.raises(TypeError, match=message):
        asyncio.run(call(function, thing))
    with pytest.raises(TypeError, match=message):  # and not the complaint that no loop runs
        function(thing)
    assert not has_ended(communicator)


def test_it_is_a_type_error_before_ice_was_ever_imported() -> None:
    check_says(
        """\
        destroy an Ice.Communicator is needed, not int
        destroy_async an Ice.Communicator is needed, not int
        shutdown_completed an Ice.Communicator is needed, not int
        False
        """,
        """
        import sys, icegil
        for function in (icegil.destroy, icegil.destroy_async, icegil.shutdown_completed):
            try:
                function(3)
            except TypeError as error:
                print(function.__name__, error)
        print("Ice" in sys.modules)
        """,
    )


@pytest.mark.parametrize("function", WITH_TIMEOUT, ids=of_function)
@pytest.mark.parametrize("timeout", [-1, -0.001, -math.inf, math.nan, Fraction(-1, 2)])
def test_a_timeout_that_no_time_can_be_is_a_value_error_at_the_call(
    timeout: Any, function: Callable[..., Any], communicator: Any
) -> None:
    with pytest.raises(ValueError, match="timeout must not be negative or NaN"):
        asyncio.run(call(function, communicator, timeout=timeout))
    assert not has_ended(communicator)


@pytest.mark.parametrize("function", WITH_TIMEOUT, ids=of_function)
@pytest.mark.parametrize("timeout", ["1", b"", [], ..., 1j, float], ids=repr)
def test_a_timeout_that_is_no_number_is_a_type_error_at_the_call(
    timeout: Any, function: Callable[..., Any], communicator: Any
) -> None:
    with pytest.raises(TypeError, match=f"timeout must be a number of seconds or None, not {type(timeout).__name__}"):
        asyncio.run(call(function, communicator, timeout=timeout))
    assert not has_ended(communicator)


@pytest.mark.parametrize("timeout", [None, math.inf, 1e300, 60, Fraction(121, 2)], ids=str)
@on_each_loop
def test_a_timeout_may_be_any_length(timeout: Any, runner: Callable[..., Any], ice: ModuleType) -> None:
    async def main() -> None:
        await icegil.destroy_async(made, timeout)

    made = new_communicator()
    runner(main())
    assert has_ended(made)
    made = new_communicator()
    icegil.destroy(made, timeout=timeout)
    assert has_ended(made)


@settings(deadline=None)  # the first example imports Ice
@given(st.one_of(st.floats(), st.integers(), st.fractions()))
def test_every_number_is_a_timeout_or_a_value_error(number: Any) -> None:
    if number >= 0:
        icegil.install(drain_timeout=number)
        assert icegil.status().drain_timeout == pytest.approx(float(number))
    else:
        with pytest.raises(ValueError, match="drain_timeout must not be negative or NaN"):
            icegil.install(drain_timeout=number)


@pytest.mark.parametrize(
    ("function", "instead"),
    [(icegil.destroy_async, "icegil.destroy"), (icegil.shutdown_completed, "communicator.waitForShutdown")],
)
def test_without_a_running_loop_the_error_says_what_to_call_instead(
    function: Callable[..., Any], instead: str, communicator: Any
) -> None:
    with pytest.raises(RuntimeError, match=rf"{function.__name__} needs a running event loop; .*{re.escape(instead)}$"):
        function(communicator)
    assert not has_ended(communicator)
    assert not communicator.isShutdown()


# --- Destroying -----------------------------------------------------------------------------------------------------


def as_future(awaitable: Any) -> Any:
    """What `destroyAsync` returns, to be awaited in any loop: without a loop of its own it is an `Ice.Future`."""
    return icegil.Ice.wrap_future(awaitable) if isinstance(awaitable, icegil.Ice.Future) else awaitable


def leave_with(made: Any) -> None:
    with made:
        pass


async def leave_async_with() -> Any:
    made = new_communicator(**({"loop": asyncio.get_running_loop()} if hasattr(icegil.Ice, "asyncio") else {}))
    async with made as entered:
        assert entered is made
    return made


async def destroy_as_ice_does() -> Any:
    made = new_communicator()
    await as_future(made.destroyAsync())
    return made


async def destroy_async() -> Any:
    made = new_communicator()
    await icegil.destroy_async(made)
    return made


ASYNC_ENDINGS = [leave_async_with, destroy_as_ice_does, destroy_async]
ENDINGS: dict[str, Callable[[Any], object]] = {
    "destroy()": lambda made: made.destroy(),
    "with": leave_with,
    "icegil.destroy": icegil.destroy,
}


async def check_is_done_at_once(made: Any) -> None:
    """Fails unless nothing is left to wait for, whoever asks."""
    assert has_ended(made)
    await icegil.destroy_async(made, timeout=0)
    await icegil.shutdown_completed(made)
    await as_future(made.destroyAsync())
    await as_future(made.shutdownCompleted())
    icegil.destroy(made, timeout=0)
    made.destroy()
    with made:
        pass


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS.keys())
@on_each_loop
def test_a_destroyed_communicator_is_done_at_once(
    end: Callable[[Any], object], runner: Callable[..., Any], ice: ModuleType
) -> None:
    made = new_communicator()
    end(made)
    runner(check_is_done_at_once(made))


@pytest.mark.parametrize("end", ASYNC_ENDINGS, ids=of_function)
@on_each_loop
def test_a_communicator_destroyed_by_a_coroutine_is_done_at_once(
    end: Callable[[], Any], runner: Callable[..., Any], ice: ModuleType
) -> None:
    async def main() -> None:
        await check_is_done_at_once(await end())

    runner(main())


@on_each_loop
def test_a_communicator_destroyed_before_install_is_no_error(runner: Callable[..., Any]) -> None:
    async def main() -> None:
        await icegil.destroy_async(made)
        await check_is_done_at_once(made)

    made = new_communicator()
    made.destroy()
    icegil.install()
    runner(main())


async def awaited(made: Any) -> None:
    await icegil.destroy_async(made)


async def as_a_task(made: Any) -> None:
    task = asyncio.create_task(icegil.destroy_async(made), name="destruction")
    assert "destruction" in repr(task)
    task.print_stack(file=io.StringIO())
    await task


async def gathered(made: Any) -> None:
    results = await asyncio.gather(
        icegil.destroy_async(made),
        icegil.destroy_async(made, timeout=60),
        icegil.shutdown_completed(made),
        asyncio.to_thread(icegil.destroy, made),
        asyncio.to_thread(made.destroy),
        as_future(made.destroyAsync()),
    )
    assert results == [None] * 6


async def waited_for(made: Any) -> None:
    await asyncio.wait_for(icegil.destroy_async(made), timeout=60)


async def waited_for_as_one_of_many(made: Any) -> None:
    done, pending = await asyncio.wait({asyncio.ensure_future(icegil.destroy_async(made))})
    assert not pending
    assert done.pop().result() is None


async def in_a_task_group(made: Any) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(icegil.destroy_async(made))
        group.create_task(icegil.shutdown_completed(made))


async def shielded_under_a_timeout(made: Any) -> None:
    async with asyncio.timeout(60):
        await asyncio.shield(icegil.destroy_async(made))


@pytest.mark.parametrize(
    "use",
    [awaited, as_a_task, gathered, waited_for, waited_for_as_one_of_many, in_a_task_group, shielded_under_a_timeout],
    ids=of_function,
)
@on_each_loop
def test_destroy_async_can_be(use: Callable[[Any], Any], runner: Callable[..., Any], ice: ModuleType) -> None:
    made = new_communicator()
    runner(use(made))
    assert has_ended(made)
    icegil.destroy(made, timeout=0)


@on_each_loop
def test_cancelling_the_wait_leaves_the_destruction_running(runner: Callable[..., Any], ice: ModuleType) -> None:
    async def main() -> None:
        started = asyncio.create_task(icegil.destroy_async(made))
        not_started = asyncio.create_task(icegil.destroy_async(made))
        await asyncio.sleep(0)
        started.cancel("enough")
        not_started.cancel()
        with pytest.raises(asyncio.CancelledError):
            await started
        with pytest.raises(asyncio.CancelledError):
            await not_started
        with pytest.raises(asyncio.TimeoutError):  # until Python 3.10 not the built-in one
            await asyncio.wait_for(icegil.destroy_async(made), timeout=0.01)
        dispatch.end()
        await icegil.destroy_async(made)

    made = new_communicator()
    with Dispatch(made) as dispatch:
        runner(main())
    assert has_ended(made)


@on_each_loop
def test_a_timeout_names_the_communicator_and_leaves_the_destruction_running(
    runner: Callable[..., Any], ice: ModuleType
) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError, match=message):
            await icegil.destroy_async(made, timeout=0.01)
        dispatch.end()
        await icegil.destroy_async(made)

    made = ice.initialize()
    line = sys._getframe().f_lineno - 1
    message = re.escape(f"the communicator made at {__file__}:{line} was not destroyed within ")
    with Dispatch(made) as dispatch:
        with pytest.raises(TimeoutError, match=message):
            icegil.destroy(made, timeout=0)
        runner(main())
    assert has_ended(made)


def test_several_threads_may_destroy_one_communicator_at_once(ice: ModuleType) -> None:
    def one(number: int) -> None:
        barrier.wait()
        if number % 2:
            icegil.destroy(made)
        else:
            RUNNERS["uvloop" if number % 4 else "asyncio"](awaited(made))
        assert has_ended(made)

    for _ in range(10):
        made = new_communicator()
        barrier = threading.Barrier(8)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(one, range(8)))


@on_each_loop
def test_shutdown_completed_ends_with_the_shutdown_not_before(runner: Callable[..., Any], communicator: Any) -> None:
    async def main() -> None:
        waits = [asyncio.create_task(icegil.shutdown_completed(communicator)) for _ in range(3)]
        await asyncio.sleep(0)
        waits[0].cancel()
        communicator.shutdown()
        await asyncio.sleep(0)
        assert not any(wait.done() for wait in waits[1:])
        dispatch.end()
        await asyncio.gather(*waits[1:])
        assert waits[0].cancelled()

    with Dispatch(communicator) as dispatch:
        runner(main())
    assert not has_ended(communicator)


def test_what_is_thrown_away_leaves_no_complaint() -> None:
    code = """
        import asyncio, gc
        import icegil
        icegil.install()
        from _echo import communicator
        async def main():
            asyncio.get_running_loop().slow_callback_duration = 3600  # it would be logged
            for timeout in (None, 0, 60):
                ice = communicator()
                icegil.shutdown_completed(ice)
                icegil.destroy_async(ice, timeout)
                coroutine = icegil.destroy_async(ice, timeout)
                coroutine.close()
                task = asyncio.create_task(icegil.destroy_async(ice, timeout))
                task.cancel()
            del coroutine, task
            gc.collect()
        asyncio.run(main(), debug=True)
        """
    check_says("", code, "-W", "error", "-X", "dev")


# --- Putting icegil in place and taking it away ---------------------------------------------------------------------


def attributes_of_ice() -> dict[tuple[str, str], object]:
    """Every attribute of Ice's modules, and of its classes."""
    modules = [module for name, module in sorted(sys.modules.items()) if name.partition(".")[0] in ("Ice", "IcePy")]
    owners: dict[str, Any] = {module.__name__: module for module in modules}
    for module in modules:
        owners |= {
            f"{each.__module__}.{each.__qualname__}": each for each in vars(module).values() if type(each) is type
        }
    return {(name, key): value for name, owner in owners.items() for key, value in vars(owner).items()}


def test_uninstall_gives_back_the_very_objects_that_were_there() -> None:
    import Ice  # noqa: F401

    before = attributes_of_ice()
    for _ in range(3):
        icegil.install()
        icegil.install(drain_timeout=3)
        inside = attributes_of_ice()
        assert {key for key in inside if inside[key] is not before.get(key)}
        icegil.uninstall()
        icegil.uninstall()
        after = attributes_of_ice()
        assert before.keys() == after.keys()
        assert not [key for key in before if after[key] is not before[key]]
        assert icegil.status().mode == "off"


def test_a_second_install_wraps_nothing_twice(ice: ModuleType) -> None:
    once = attributes_of_ice()
    assert icegil.install() is ice
    twice = attributes_of_ice()
    assert not [key for key in twice if twice[key] is not once.get(key)]


def test_a_second_install_changes_only_what_it_is_given() -> None:
    icegil.install(mode="teardown", drain_timeout=3)
    icegil.install()
    assert (icegil.status().mode, icegil.status().drain_timeout) == ("teardown", 3)
    icegil.install(drain_timeout=4)
    assert (icegil.status().mode, icegil.status().drain_timeout) == ("teardown", 4)
    icegil.install(mode="teardown")
    assert (icegil.status().mode, icegil.status().drain_timeout) == ("teardown", 4)


def test_what_is_called_back_as_icegil_is_taken_away_ends_before_python() -> None:
    # The thread is icegil's own: without the gate it would come back into an interpreter that is gone.
    check_says(
        "taken away\ncalled back\n",
        """
        import threading, time
        import icegil
        icegil.install()
        from _echo import communicator
        inside = threading.Event()
        def called_back(future):
            inside.set()
            time.sleep(0.5)  # at the end of which nobody but icegil waits for it
            print("called back")
        communicator().destroyAsync().add_done_callback(called_back)
        inside.wait()
        icegil.uninstall()
        print("taken away")
        """,
    )


def test_communicators_outlive_uninstall_and_are_taken_in_again(ice: ModuleType) -> None:
    made = new_communicator()
    icegil.uninstall()
    assert not has_ended(made)
    icegil.install()
    icegil.destroy(made)
    assert has_ended(made)


def test_the_gate_counts_right_while_the_mode_changes() -> None:
    # The locator makes sure of a callback on the very thread that destroys.
    check_says(
        "open\n" * 4,
        """
        import Ice
        from _echo import communicator, serve
        import icegil
        class Locator(Ice.ServantLocator):
            def locate(self, current):
                pass
            def finished(self, current, servant, cookie):
                pass
            def deactivate(self, category):
                pass
        for modes in (("auto", None), ("auto", "teardown"), ("teardown", "auto"), (None, "auto")):
            made = []
            for mode in modes:
                icegil.uninstall()
                if mode is not None:
                    icegil.install(mode=mode)
                made.append(communicator())
                adapter = made[-1].createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
                adapter.addServantLocator(Locator(), "")
                serve(made[-1]).ice_ping()
            for each in made:
                icegil.destroy(each)
            while icegil.status().gate.inside:  # the thread that destroyed is on its way out; a wrong count never ends
                pass
            print(icegil.status().gate.state)
        """,
    )


@pytest.mark.parametrize("mode", ["", "Guard", "none", "off"])
def test_an_unknown_mode_is_a_value_error_and_installs_nothing(mode: str) -> None:
    with pytest.raises(ValueError, match=f"mode must be one of auto, guard, teardown, not {mode!r}"):
        icegil.install(mode=mode)
    assert icegil.status().mode == "off"


@pytest.mark.parametrize("mode", [3, b"auto", ["auto"], True])
def test_a_mode_that_is_no_string_is_a_type_error_and_installs_nothing(mode: Any) -> None:
    with pytest.raises(TypeError, match=f"mode must be a string, not {type(mode).__name__}"):
        icegil.install(mode=mode)
    assert icegil.status().mode == "off"


@pytest.mark.parametrize("timeout", ["3", b"", [], ...], ids=repr)
def test_a_drain_timeout_that_is_no_number_is_a_type_error_and_installs_nothing(timeout: Any) -> None:
    with pytest.raises(TypeError, match="drain_timeout must be a number of seconds"):
        icegil.install(drain_timeout=timeout)
    assert icegil.status().mode == "off"


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("ICEGIL_MODE", "Guard", "ICEGIL_MODE must be one of auto, guard, teardown, not 'Guard'"),
        ("ICEGIL_MODE", " ", "ICEGIL_MODE must be one of auto, guard, teardown, not ' '"),
        ("ICEGIL_DRAIN_TIMEOUT", "soon", "ICEGIL_DRAIN_TIMEOUT must be a number of seconds, not 'soon'"),
        ("ICEGIL_DRAIN_TIMEOUT", "-1", "ICEGIL_DRAIN_TIMEOUT must be a number of seconds, not '-1'"),
        ("ICEGIL_DRAIN_TIMEOUT", "nan", "ICEGIL_DRAIN_TIMEOUT must be a number of seconds, not 'nan'"),
    ],
)
def test_a_wrong_setting_is_a_value_error_that_names_the_variable(
    variable: str, value: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=re.escape(complaint)):
        icegil.install()
    assert icegil.status().mode == "off"
    icegil.install(mode="teardown", drain_timeout=3)  # what the call says is not asked of the environment
    assert icegil.status().drain_timeout == 3


@pytest.mark.parametrize(("value", "seconds"), [("", 5), ("0", 0), ("2.5", 2.5), ("1e3", 1000), ("inf", math.inf)])
def test_the_environment_sets_the_drain_timeout(value: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ICEGIL_DRAIN_TIMEOUT", value)
    monkeypatch.setenv("ICEGIL_MODE", "teardown")
    icegil.install()
    assert (icegil.status().mode, icegil.status().drain_timeout) == ("teardown", seconds)


@pytest.mark.parametrize("importing", ["import icegil", "from icegil import *; import icegil"])
def test_importing_icegil_changes_nothing_and_does_not_import_ice(importing: str) -> None:
    check_says(
        "True [] () off None False\n[]\n",
        """
        import signal, sys, threading
        def state():
            names = ("excepthook", "unraisablehook", "displayhook", "path", "meta_path", "path_hooks")
            return [getattr(sys, name) for name in names], threading.excepthook, signal.getsignal(signal.SIGINT)
        before = state()
        IMPORTING
        status = icegil.status()
        print(state() == before, [name for name in sys.modules if name.partition(".")[0] in ("Ice", "IcePy")],
              status.redirected, status.mode, status.ice, icegil.is_finalizing())
        import Ice
        methods = [method for method in vars(getattr(Ice, "CommunicatorI", Ice.Communicator)).values()
                   if hasattr(method, "__code__")]
        print([method for method in methods if method.__code__.co_filename.startswith(icegil.__path__[0])])
        """.replace("IMPORTING", importing),
    )


def test_from_icegil_import_ice_is_the_genuine_module_guarded() -> None:
    check_says(
        "True off True\n",
        """
        import icegil
        mode = icegil.status().mode
        from icegil import Ice
        import Ice as genuine
        print(Ice is genuine, mode, icegil.status().mode in ("guard", "teardown"))
        """,
    )


def test_what_icegil_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'icegil' has no attribute 'nonsense'"):
        icegil.nonsense  # noqa: B018
    assert icegil.status().mode == "off"


def test_each_public_name_is_there_and_documented() -> None:
    for name in icegil.__all__:
        assert getattr(icegil, name).__doc__, name


# --- What is in place -----------------------------------------------------------------------------------------------


def test_status_is_plain_data() -> None:
    import Ice

    off = icegil.status()
    assert (off.mode, off.reason, off.drain_timeout) == ("off", "", 5)
    icegil.install(mode="teardown", drain_timeout=2)
    status = icegil.status()
    assert dataclasses.is_dataclass(status)
    assert {"mode", "reason", "python", "ice", "drain_timeout", "redirected", "gate"} <= {
        field.name for field in dataclasses.fields(status)
    }
    assert status.mode == "teardown"
    assert status.reason
    assert isinstance(status.redirected, tuple)
    assert status.python == ".".join(map(str, sys.version_info[:3]))
    assert status.ice == Ice.stringVersion()
    assert status.drain_timeout == 2
    gate = dataclasses.asdict(status.gate)
    assert gate.pop("state") == "open"
    assert {"admitted", "refused", "parked", "inside", "most", "dropped"} == gate.keys()
    assert all(isinstance(count, int) and count >= 0 for count in gate.values())
    json.dumps(dataclasses.asdict(status))
    with pytest.raises(dataclasses.FrozenInstanceError):
        status.mode = "off"


def test_finalizing_begins_when_every_handler_at_exit_has_run() -> None:
    check_says(
        "running: False open\nbefore: False open\nafter: False open\nat the end: True\n",
        """
        import atexit, os, icegil
        def tell(when):
            print(f"{when}:", icegil.is_finalizing(), icegil.status().gate.state, flush=True)
        class Last:
            def __del__(self, is_finalizing=icegil.is_finalizing, write=os.write):
                write(1, b"at the end: %s\\n" % str(is_finalizing()).encode())
        atexit.register(tell, "after")
        icegil.install()
        atexit.register(tell, "before")
        tell("running")
        last = Last()
        last.itself = last
        """,
    )


def test_get_include_is_where_the_headers_are() -> None:
    include = Path(icegil.get_include())
    assert include.is_absolute()
    for header in ("gate.hpp", "thread.hpp", "redirect.hpp"):
        assert (include / "icegil" / header).is_file()


def test_a_communicator_whose_class_has_attributes_of_its_own_way_is_watched() -> None:
    check_says(
        "active destroyed\n",
        """
        import icegil
        Ice = icegil.install()
        class Strict(getattr(Ice, "CommunicatorI", Ice.Communicator)):
            def __setattr__(self, name, value):
                if "icegil" in name:
                    raise AttributeError(name)
                super().__setattr__(name, value)
            def __getattr__(self, name):
                return f"some {name}"
        ice = Strict(Ice.initialize()._impl) if hasattr(Ice, "CommunicatorI") else Strict()
        states = [icegil.snapshot().communicators[-1].state]
        ice.destroy()
        print(*states, icegil.snapshot().communicators[-1].state)
        """,
    )


# --- Communicators that a program never destroys --------------------------------------------------------------------

NEVER_DESTROYED = """\
import icegil
from icegil import Ice
def make():
    return Ice.initialize()
kept = [make(), make()]
kept.append(Ice.initialize())
icegil.destroy(kept.pop())
with Ice.initialize():
    pass
"""


@pytest.fixture
def forgetful(tmp_path: Path) -> Path:
    """A program that destroys one communicator and forgets two."""
    script = tmp_path / "forgetful.py"
    script.write_text(NEVER_DESTROYED)
    return script


def ends(script: Path, *flags: str, **environment: str) -> Ending:
    """How a script ends."""
    return python(*flags, str(script), **environment)


def test_a_communicator_never_destroyed_is_destroyed_in_silence(forgetful: Path) -> None:
    ended = ends(forgetful)
    assert (ended.status, ended.stdout, ended.stderr) == (0, "", "")


def test_it_is_a_resource_warning_that_says_where_it_was_made(forgetful: Path) -> None:
    warning = f"{forgetful}:4: ResourceWarning: this communicator was never destroyed by the program; "
    ended = ends(forgetful, "-W", "always::ResourceWarning")
    assert (ended.status, ended.stdout) == (0, "")
    lines = ended.stderr.splitlines()
    assert [line.startswith(warning) for line in lines if "ResourceWarning" in line] == [True, True]
    assert lines[1].strip() == "return Ice.initialize()"


def test_in_development_mode_it_shows_the_way_there(forgetful: Path) -> None:
    ended = ends(forgetful, "-X", "dev", PYTHONWARNINGS="")
    assert (ended.status, ended.stdout) == (0, "")
    lines = ended.stderr.splitlines()
    warning = f"{forgetful}:4: ResourceWarning: this communicator was never destroyed by the program; "
    begins = [index for index, line in enumerate(lines) if line.startswith(warning)]
    assert begins[:1] == [0]
    assert len(begins) == 2
    for begin in begins:
        assert lines[begin].endswith(" (most recent call last):")
        assert lines[begin + 1 : begin + 5] == [
            f'  File "{forgetful}", line 5, in <module>',
            "    kept = [make(), make()]",
            f'  File "{forgetful}", line 4, in make',
            "  return Ice.initialize()",
        ]


def test_as_an_error_it_changes_neither_the_ending_nor_the_status(forgetful: Path) -> None:
    forgetful.write_text(NEVER_DESTROYED + "raise SystemExit(3)\n")
    ended = ends(forgetful, "-W", "error::ResourceWarning")
    assert (ended.status, ended.stdout) == (3, "")
    assert "ResourceWarning: this communicator was never destroyed" in ended.stderr


@pytest.mark.parametrize("flags", [(), ("-W", "always::ResourceWarning")], ids=["quiet", "warned"])
def test_communicators_made_before_install_are_taken_in(flags: tuple[str, ...], tmp_path: Path) -> None:
    script = tmp_path / "late.py"
    script.write_text(
        "import Ice\n"
        "destroyed, forgotten, kept = Ice.initialize(), Ice.initialize(), Ice.initialize()\n"
        "destroyed.destroy()\n"
        "import icegil\n"
        "icegil.install()\n"
        "kept.destroy()\n"
    )
    ended = ends(script, *flags)
    assert (ended.status, ended.stdout) == (0, "")
    assert ended.stderr.count("ResourceWarning: this communicator was never destroyed") == (1 if flags else 0)


# --- Forked children ------------------------------------------------------------------------------------------------

FORK = """\
import os, sys
from _echo import communicator, serve
import icegil
icegil.install()
ice = communicator()
proxy = serve(ice)
proxy.ice_ping()
def child():
    {child}
{fork}
_, status = os.waitpid(child_id, 0)
print(os.waitstatus_to_exitcode(status), flush=True)
proxy.ice_ping()
icegil.destroy(ice)
"""

PLAIN_FORK = """\
child_id = os.fork()
if child_id == 0:
    child()
    sys.exit(5)
"""

FORK_IN_WITH = """\
with communicator() as other:
    serve(other).ice_ping()
    child_id = os.fork()
    if child_id == 0:
        child()
        sys.exit(5)
"""


@pytest.mark.parametrize("fork", [PLAIN_FORK, FORK_IN_WITH], ids=["at the top", "in a with block"])
@pytest.mark.parametrize(
    "statement",
    [
        "pass",
        "icegil.destroy(ice)",
        "ice.destroy()",
        "import asyncio; asyncio.run(ice.__aexit__(None, None, None))",
        "icegil.uninstall(); icegil.install()",
        "import threading; [t.start() or t.join() for t in [threading.Thread(target=icegil.destroy, args=(ice,))]]",
    ],
)
def test_a_forked_child_ends_on_its_own_and_its_parent_goes_on(statement: str, fork: str) -> None:
    # From 3.12 on, Python itself warns of a fork beside running threads.
    check_says("5\n", FORK.format(child=statement, fork=fork), "-W", "ignore::DeprecationWarning")
