"""What `icegil.snapshot` shows, at the moments at which somebody would ask."""

import os
import sys
import textwrap
from pathlib import Path

import icegil
from icegil.torture.catalogue import SCENARIOS
from icegil.torture.endings import Ending, run

ROOT = str(Path(icegil.__file__).parents[1])
BEGINNING = """\
import atexit, os, signal, sys, threading
import icegil
from icegil import Ice
from _echo import Echo, communicator, serve

entered, leave = threading.Event(), threading.Event()

class Waiting(Echo):
    def ice_invoke(self, arguments, current):
        entered.set()
        leave.wait()
        return True, arguments

def invoke(proxy):
    return proxy.ice_invokeAsync("echo", Ice.OperationMode.Normal, b"")

def states():
    return [each.state for each in icegil.snapshot().communicators]

"""


def program(code: str, *flags: str) -> Ending:
    """How a program ends that has the above in hand."""
    path = os.pathsep.join(filter(None, [str(SCENARIOS), ROOT, os.environ.get("PYTHONPATH")]))
    return run([sys.executable, *flags, "-c", BEGINNING + textwrap.dedent(code)], 30, {"PYTHONPATH": path})


def check(code: str, *flags: str) -> None:
    ended = program(code, *flags)
    assert (ended.stdout, ended.stderr, ended.status) == ("well\n", "", 0)


def test_a_callback_is_shown_with_its_thread_and_its_stack() -> None:
    check("""
        with communicator() as ice:
            call = invoke(serve(ice, Waiting()))
            entered.wait()
            threads = {}
            for _ in range(2):
                [callback] = [each for each in icegil.snapshot().callbacks if "in ice_invoke" in "".join(each.stack)]
                threads[callback.native_id] = callback.seconds
            assert len(threads) == 1 and callback.seconds >= 0
            assert callback.thread in sys._current_frames()
            assert callback.name == f"Ice-{callback.native_id}"
            assert icegil.snapshot().gate.inside == 1
            leave.set()
            call.result()
        print("well")
    """)


def test_how_long_a_callback_has_been_inside_grows() -> None:
    check("""
        with communicator() as ice:
            call = invoke(serve(ice, Waiting()))
            entered.wait()

            def inside():
                return max(each.seconds for each in icegil.snapshot().callbacks)

            first = inside()
            while inside() < first + 0.05:
                pass
            leave.set()
            call.result()
        print("well")
    """)


def test_a_communicator_goes_from_active_to_destroyed() -> None:
    check("""
        ice = communicator()
        call = invoke(serve(ice, Waiting()))
        entered.wait()
        [view] = icegil.snapshot().communicators
        assert view.state == "active" and "_echo.py:" in view.made_at, view
        assert view.age >= 0 and view.traceback == ()
        destroyer = threading.Thread(target=ice.destroy)
        destroyer.start()
        while states() == ["active"]:
            pass
        assert states() == ["destroying"]
        leave.set()
        destroyer.join()
        assert states() == ["destroyed"]
        print("well")
    """)


def test_in_development_mode_it_says_by_which_calls_one_was_made() -> None:
    check(
        """
        def by_this_function():
            return communicator()

        ice = by_this_function()
        [view] = icegil.snapshot().communicators
        assert "by_this_function" in "".join(view.traceback)
        ice.destroy()
        print("well")
        """,
        "-X",
        "dev",
    )


def test_it_can_be_asked_for_from_a_signal_handler_and_at_exit() -> None:
    check("""
        seen = []
        signal.signal(signal.SIGALRM, lambda *_: seen.append(icegil.snapshot()))
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        ice = communicator()
        proxy = serve(ice)
        while len(seen) < 100:
            proxy.ice_invoke("echo", Ice.OperationMode.Normal, b"")
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert states() == ["active"] and not seen[-1].is_finalizing

        @atexit.register
        def last():
            assert states() == ["active"]
            ice.destroy()
            assert states() == ["destroyed"]
            print("well")
    """)


def test_what_is_stuck_at_exit_is_called_so() -> None:
    ended = program("""
        @atexit.register  # before icegil: runs after its teardown
        def last():
            found = icegil.snapshot()
            print([each.state for each in found.communicators], found.gate.state, found.is_finalizing)

        icegil.uninstall()
        icegil.install(drain_timeout=0.2)
        ice = communicator()
        call = invoke(serve(ice, Waiting()))
        entered.wait()
    """)
    assert (ended.stdout, ended.status) == ("['stuck'] sealed True\n", 0)
    assert "its destruction has not ended" in ended.stderr


def test_a_forked_child_does_not_see_its_parents_communicators() -> None:
    check(
        """
        ice = communicator()
        child = os.fork()
        if child == 0:
            mine = communicator()
            number = len(states())
            mine.destroy()
            os._exit(number)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
        assert states() == ["active"]
        ice.destroy()
        print("well")
        """,
        "-W",
        "ignore",  # from 3.12 on Python warns of every fork beside threads
    )


def test_it_is_frozen() -> None:
    check("""
        try:
            icegil.snapshot().gate.inside = 3
        except AttributeError:
            print("well")
    """)
