"""What `icegil.snapshot` shows, at the moments at which somebody would ask."""

import os
import textwrap
from pathlib import Path

import pytest
from children import PYTHONPATH, python

from icegil.commands.torture.endings import Ending

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
    return python(*flags, "-c", BEGINNING + textwrap.dedent(code))


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


MAKING = """\
import icegil
from icegil import Ice

def make():
    return Ice.initialize()

with make():
    [view] = icegil.snapshot().communicators
    print([line.split(", in ")[1].split()[0] for line in view.traceback])
"""


@pytest.mark.parametrize("words", [(), ("-m", "icegil", "run")], ids=["python", "icegil run"])
@pytest.mark.parametrize("program", [("{folder}/making.py",), ("-m", "making")], ids=["script", "module"])
def test_the_calls_by_which_one_was_made_are_the_programs_own(
    words: tuple[str, ...], program: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "making.py").write_text(MAKING)
    path = f"{tmp_path}{os.pathsep}{PYTHONPATH}"
    ended = python("-X", "dev", *words, *(word.format(folder=tmp_path) for word in program), PYTHONPATH=path)
    assert (ended.stdout, ended.stderr) == ("['<module>', 'make']\n", "")


def test_one_that_was_there_before_icegil_says_so() -> None:
    ended = python(
        *("-X", "dev", "-c"),
        "import Ice, icegil\n"
        "ice = Ice.initialize()\n"
        "icegil.install()\n"
        "[view] = icegil.snapshot().communicators\n"
        "print(view.made_at, view.traceback)",
    )
    assert ended.stdout == "before icegil.install() ()\n"
    assert "before icegil.install():0: ResourceWarning: this communicator was never destroyed" in ended.stderr


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
        def last():
            found = icegil.snapshot()
            print([each.state for each in found.communicators], found.gate.state, found.is_finalizing)

        from icegil import shutdown
        shutdown.afterwards(last)
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
