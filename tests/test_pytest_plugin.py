"""The pytest plug-in, in test suites of their own."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import Ice
import pytest
from children import python

from icegil.commands.torture.endings import Ending

Suite = Callable[..., Ending]

# Ice 3.6 imports `imp`, of which pytest would show a warning wherever a test file imports Ice.
OF_ICE = 'filterwarnings = "ignore:the imp module:DeprecationWarning:Ice"\n' if Ice.intVersion() < 30700 else ""


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Runs a test file, with the plug-in and these options of pytest."""

    def run(code: str, *options: str, plugins: tuple[str, ...] = (), ini: str = "") -> Ending:
        (tmp_path / "test_it.py").write_text("import Ice\nimport pytest\n" + textwrap.dedent(code))
        (tmp_path / "pyproject.toml").write_text(f"[tool.pytest.ini_options]\n{OF_ICE}{ini}\n")
        words = ["-p", "icegil.pytest_plugin", *(word for plugin in plugins for word in ("-p", plugin))]
        words += ["-p", "no:cacheprovider", f"--rootdir={tmp_path}", *options, str(tmp_path)]
        return python("-m", "pytest", *words, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")

    return run


LEAK = """
    def test_that_leaks():
        Ice.initialize()

    def test_after_it():
        pass
"""


def test_a_test_that_leaks_a_communicator_fails_and_its_neighbour_does_not(suite: Suite) -> None:
    done = suite(LEAK)
    assert done.status == 1
    assert "2 passed, 1 error" in done.stdout
    assert "ERROR at teardown of test_that_leaks" in done.stdout
    assert "test_it.py:5 was not destroyed by the test" in done.stdout
    assert done.stderr == ""


def test_leaks_may_be_warned_of(suite: Suite) -> None:
    done = suite(LEAK, "--icegil-leaks=warn")
    assert done.status == 0
    assert "LeakedCommunicatorWarning" in done.stdout and "test_it.py:5" in done.stdout


@pytest.mark.parametrize("how", ["on the command line", "in pyproject.toml"])
def test_leaks_may_be_ignored(suite: Suite, how: str) -> None:
    done = (
        suite(LEAK, "--icegil-leaks=off") if how == "on the command line" else suite(LEAK, ini='icegil_leaks = "off"')
    )
    assert (done.status, done.stderr) == (0, "")
    assert "2 passed" in done.stdout and "warning" not in done.stdout


def test_a_setting_that_is_none_of_these_is_said_so(suite: Suite) -> None:
    done = suite(LEAK, ini='icegil_leaks = "sometimes"')
    assert done.status == 4
    assert "icegil_leaks must be one of error, warn, off, not 'sometimes'" in done.stderr


def test_the_fixture_gives_a_communicator_that_is_destroyed_at_the_end(suite: Suite) -> None:
    done = suite("""
        made = []

        def test_traffic(ice_communicator):
            from _echo import serve
            serve(ice_communicator).ice_ping()
            made.append(ice_communicator)

        def test_that_it_is_destroyed():
            with pytest.raises(Ice.CommunicatorDestroyedException):
                made[0].stringToProxy("echo")
    """)
    assert (done.status, done.stderr) == (0, ""), done.stdout


ASYNCIO = "pytest_asyncio.plugin"
ANYIO = "anyio.pytest_plugin"
SCOPE = 'asyncio_default_fixture_loop_scope = "function"\n'  # whose absence pytest-asyncio would warn of

CALLS = """
    import asyncio
    from _echo import serve

    made = []

    {mark}
    async def test_traffic(ice_async_communicator):
        made.append(ice_async_communicator)
        proxy = serve(ice_async_communicator)
        if Ice.intVersion() < 30800:  # which has no adapters of event loops
            proxy.ice_ping()
        else:
            future = proxy.ice_pingAsync()
            assert isinstance(future, asyncio.Future) and future.get_loop() is asyncio.get_running_loop()
            await future

    def test_that_it_is_destroyed():
        with pytest.raises(Ice.CommunicatorDestroyedException):
            made[0].stringToProxy("echo")
"""


def plugins_for(*names: str) -> tuple[str, ...]:
    for name in names:
        pytest.importorskip(name.partition(".")[0])
    return names


@pytest.mark.parametrize(
    ("plugins", "mode", "mark"),
    [
        ((ASYNCIO,), "", "@pytest.mark.asyncio"),
        ((ASYNCIO,), "strict", "@pytest.mark.asyncio"),
        ((ASYNCIO,), "auto", ""),
        ((ANYIO,), "", "@pytest.mark.anyio"),
        ((ASYNCIO, ANYIO), "strict", "@pytest.mark.asyncio"),
        ((ASYNCIO, ANYIO), "strict", "@pytest.mark.anyio"),
    ],
    ids=["default mode", "strict", "auto", "anyio", "strict beside anyio", "anyio beside strict"],
)
def test_the_asynchronous_fixture_is_bound_to_the_loop_of_the_test(
    suite: Suite, plugins: tuple[str, ...], mode: str, mark: str
) -> None:
    ini = f'asyncio_mode = "{mode}"\n' if mode else ""
    backend = "@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n" if "anyio" in mark else ""
    done = suite(
        backend + textwrap.dedent(CALLS.format(mark=mark)),
        plugins=plugins_for(*plugins),
        ini=ini + (SCOPE if ASYNCIO in plugins else ""),
    )
    assert (done.status, done.stderr) == (0, ""), done.stdout
    assert "2 passed" in done.stdout and "warning" not in done.stdout


@pytest.mark.parametrize("plugins", [(), (ANYIO,)], ids=["no plug-in", "anyio without its mark"])
def test_an_asynchronous_fixture_that_nobody_runs_says_what_to_do(suite: Suite, plugins: tuple[str, ...]) -> None:
    done = suite(CALLS.format(mark=""), plugins=plugins_for(*plugins))
    assert (done.status, done.stderr) == (1, "")
    assert "ice_async_communicator needs a plug-in that runs asynchronous tests" in done.stdout
    assert "pip install pytest-asyncio" in done.stdout and "@pytest.mark.anyio" in done.stdout


def test_a_loop_that_is_not_of_asyncio_is_said_to_be_none(suite: Suite) -> None:
    pytest.importorskip("trio")
    backend = "@pytest.fixture\ndef anyio_backend():\n    return 'trio'\n"
    done = suite(backend + textwrap.dedent(CALLS.format(mark="@pytest.mark.anyio")), plugins=plugins_for(ANYIO))
    assert (done.status, done.stderr) == (1, "")
    assert "ice_async_communicator needs an event loop of asyncio, not of trio" in done.stdout


def test_what_a_fixture_of_the_module_made_is_no_leak_of_a_test(suite: Suite) -> None:
    done = suite("""
        @pytest.fixture(scope="module")
        def shared():
            communicator = Ice.initialize()
            yield communicator
            communicator.destroy()

        def test_one(shared):
            shared.stringToProxy("echo")

        def test_another(shared):
            shared.stringToProxy("echo")
    """)
    assert (done.status, done.stderr) == (0, ""), done.stdout


def test_a_destruction_that_is_stuck_is_said_and_holds_nobody_up(suite: Suite) -> None:
    done = suite("""
        import threading
        from _echo import Echo, serve
        from icegil import pytest_plugin
        pytest_plugin.PATIENCE = 0.2
        entered = threading.Event()

        class Waiting(Echo):
            def ice_invoke(self, arguments, current):
                entered.set()
                threading.Event().wait()

        def test_that_is_stuck():
            serve(Ice.initialize(), Waiting()).ice_invokeAsync("echo", Ice.OperationMode.Normal, b"")
            entered.wait()
    """)
    assert done.status == 1
    assert "was not destroyed by the test, and its destruction is stuck" in done.stdout
    assert "test_it.py::test_that_is_stuck: " in done.stdout.partition("this process ends unclean")[2]


def test_a_failure_of_the_test_itself_is_what_is_shown(suite: Suite) -> None:
    done = suite("""
        def test_that_leaks_and_fails():
            Ice.initialize()
            assert 1 == 2
    """)
    assert done.status == 1
    assert "assert 1 == 2" in done.stdout and "was not destroyed" in done.stdout


def test_tests_without_ice_are_left_alone(suite: Suite) -> None:
    done = suite("""
        import sys
        del sys.modules["Ice"]

        def test_nothing_is_installed():
            import icegil
            assert icegil.status().mode == "off"
    """)
    assert (done.status, done.stderr) == (0, ""), done.stdout


def test_it_works_under_xdist(suite: Suite) -> None:
    pytest.importorskip("xdist")
    done = suite(LEAK, "-n", "2", plugins=("xdist",))
    assert done.status == 1
    assert "2 passed, 1 error" in done.stdout and "was not destroyed by the test" in done.stdout
