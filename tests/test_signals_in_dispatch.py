"""What a signal handler raises on the main thread reaches the program, wherever in a call of Ice it comes.

Each program repeats one operation. The signal comes at the first line of Python that the main thread runs below it,
the next time at the second, and so on until there is none left: in a servant, in a callback, or in Ice's own code.
"""

import sys
import textwrap

import Ice
import pytest
from children import PYTHONPATH

from icegil.commands.torture.endings import Ending, run

WITHIN = 20  # seconds
HAS_FUTURES = hasattr(Ice, "Future")
# Of a callback of a `begin_` call Ice warns whatever it raises, and IcePy is given something in place of what is kept.
PROPERTIES = {"Ice.Warn.Dispatch": 0, **({} if HAS_FUTURES else {"Ice.Warn.AMICallback": 0})}

PROGRAM = """
    import signal, sys, threading
    from icegil import Ice
    from _echo import Echo, communicator, serve

    RAISED = {raised}

    def handle(*_):
        raise RAISED(5)

    def at_line(number):
        "A trace function that has the signal come at that line; where it came."
        lines = 0
        came_at = []

        def trace(frame, event, argument):
            nonlocal lines
            if event == "line" and not came_at and {where}:
                lines += 1
                if lines == number:
                    came_at.append(f"{{frame.f_code.co_filename}}:{{frame.f_lineno}}")
                    signal.raise_signal(signal.SIGTERM)
            return trace

        return trace, came_at

    class Servant(Echo):
        def ice_invoke(self, arguments, current):
            if threading.current_thread() is threading.main_thread():
                seen.append(current.operation)
            return True, arguments

    def note(*_):
        if threading.current_thread() is threading.main_thread():
            seen.append("callback")

    def operation():
        {operation}

    def lost():
        "Where the signal came and its exception went astray."
        for number in range(1, 10_000):
            trace, came_at = at_line(number)
            sys.settrace(trace)
            try:
                operation()
            except RAISED:
                sys.settrace(None)
            except BaseException as error:
                sys.settrace(None)
                yield f"{{came_at[0]}} became {{type(error).__name__}}"
            else:
                sys.settrace(None)
                if not came_at:
                    return
                yield came_at[0]

    signal.signal(signal.SIGTERM, handle)
    seen = []
    with communicator({properties}) as ice:
        far = serve(ice, Servant())
        near = far.ice_collocationOptimized(True)
        far.ice_ping()
        operation()
        seen_once = bool(seen)
        found = list(lost())
    print(seen_once, found)
    """

INVOKE = '("echo", Ice.OperationMode.Normal, b"")'

# What is called, and whether the servant or a callback is called on the main thread below it.
SYNCHRONOUS = {
    "collocated": (f"near.ice_invoke{INVOKE}", True),
    "collocated oneway": (f"near.ice_oneway().ice_invoke{INVOKE}", not HAS_FUTURES),  # Ice 3.6 needs no thread for it
    "far": (f"far.ice_invoke{INVOKE}", False),
}
WITH_FUTURES = {
    "collocated, asynchronous": (f"near.ice_invokeAsync{INVOKE}.result()", False),
    "sent": (f"f = far.ice_invokeAsync{INVOKE}; f.add_sent_callback(lambda *_: note(f)); f.result()", None),
    "done": (f"f = far.ice_invokeAsync{INVOKE}; f.result(); f.add_done_callback(note)", True),
    "far oneway, asynchronous": (f"far.ice_oneway().ice_invokeAsync{INVOKE}.result()", False),
}
BEGIN = f"begin_ice_invoke{INVOKE[:-1]}"
OF_3_6 = {
    "collocated, asynchronous": (f"near.end_ice_invoke(near.{BEGIN}))", None),
    "sent": (f"f = far.{BEGIN}, _response=note, _ex=note, _sent=note); f.waitForSent(); f.waitForCompleted()", None),
    "done": (f"f = far.{BEGIN}, _response=note, _ex=note); f.waitForCompleted()", None),
    "far, asynchronous": (f"far.end_ice_invoke(far.{BEGIN}))", False),
    "far oneway, asynchronous": (f"one = far.ice_oneway(); one.end_ice_invoke(one.{BEGIN}))", False),
}
OPERATIONS = {**SYNCHRONOUS, **(WITH_FUTURES if HAS_FUTURES else OF_3_6)}


# Which lines the signal may come at. What `__del__` raises goes nowhere in any program.
WHERE = {
    "in the program's": "frame.f_globals is globals()",
    "in any": 'frame.f_code.co_name != "__del__"',
}


def ending(operation: str, raised: str, where: str) -> Ending:
    """How the program ends."""
    program = textwrap.dedent(PROGRAM.format(operation=operation, raised=raised, where=where, properties=PROPERTIES))
    return run([sys.executable, "-c", program], WITHIN, {"PYTHONPATH": PYTHONPATH})


@pytest.mark.parametrize("raised", ["SystemExit", "KeyboardInterrupt"])
@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("name", OPERATIONS)
def test_what_the_handler_raises_reaches_the_program(name: str, where: str, raised: str) -> None:
    operation, is_called_below = OPERATIONS[name]
    ended = ending(operation, raised, WHERE[where])
    assert not ended.hung, ended.stderr
    assert (ended.status, ended.stderr) == (0, ""), ended
    expected = [f"{below} []\n" for below in ([is_called_below] if is_called_below is not None else [True, False])]
    assert ended.stdout in expected, ended.stdout


NESTED = """
    import signal, sys, threading
    from icegil import Ice
    from _echo import Echo, communicator, serve

    passed = []

    class Servant(Echo):
        def ice_invoke(self, arguments, current):
            match current.operation:
                case "outer":
                    try:
                        call("inner")
                    except Ice.Exception:
                        passed.append("an exception of Ice")
                    finally:
                        passed.append("outer")
                case "inner":
                    try:
                        signal.raise_signal(signal.SIGTERM)
                    finally:
                        passed.append("inner")
                case "caught":
                    try:
                        signal.raise_signal(signal.SIGTERM)
                    except SystemExit:
                        passed.append("caught")
            return True, arguments

    def call(operation):
        near.ice_invoke(operation, Ice.OperationMode.Normal, b"")

    def handle(*_):
        raise SystemExit(5)

    signal.signal(signal.SIGTERM, handle)
    with communicator() as ice:
        near = serve(ice, Servant()).ice_collocationOptimized(True)
        for operation in ("caught", "outer", "echo"):
            try:
                call(operation)
                passed.append(f"{operation} returned")
            except SystemExit as error:
                passed.append(error.code)
            for _ in range(1000):
                pass
    print(passed)
    """


def test_it_passes_each_of_the_programs_frames_once_and_ends_where_it_is_caught() -> None:
    ended = run([sys.executable, "-c", textwrap.dedent(NESTED)], WITHIN, {"PYTHONPATH": PYTHONPATH})
    expected = ["caught", "caught returned", "inner", "outer", 5, "echo returned"]
    assert (ended.status, ended.stdout, ended.stderr) == (0, f"{expected}\n", ""), ended


TRACED = """
    import signal, sys
    from icegil import Ice
    from _echo import Echo, communicator, serve

    def trace(frame, event, argument):
        return trace

    class Servant(Echo):
        def ice_invoke(self, arguments, current):
            signal.raise_signal(signal.SIGTERM)
            return True, arguments

    def handle(*_):
        raise SystemExit(5)

    signal.signal(signal.SIGTERM, handle)
    with communicator() as ice:
        near = serve(ice, Servant()).ice_collocationOptimized(True)
        sys.settrace(trace)
        near.ice_invoke("echo", Ice.OperationMode.Normal, b"")
    """


def test_it_is_raised_where_every_function_is_traced() -> None:
    # The class of IcePy's own exception is Python, so that its beginning is traced.
    ended = run([sys.executable, "-c", textwrap.dedent(TRACED)], WITHIN, {"PYTHONPATH": PYTHONPATH})
    assert (ended.status, ended.stderr) == (5, ""), ended
