"""The facade with arguments and sequences of calls that nobody thought of; each in a child process, which may crash."""

from pathlib import Path

import pytest
from children import python
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CHILD = Path(__file__).parent / "arguments_child.py"


def test_no_argument_crashes_it() -> None:
    done = python(str(CHILD), "150")
    assert (done.status, done.stderr) == (0, ""), f"{done.stdout[-2000:]}\n{done.stderr[-5000:]}"
    assert done.stdout.endswith("done\n")


# What each step of a sequence does; `made` are the communicators and their proxies.
STEPS = {
    "install": "icegil.install()",
    "install teardown": "icegil.install('teardown')",
    "install guard": "icegil.install('guard')",
    "uninstall": "icegil.uninstall()",
    "make": "made.append((ice := communicator({'Ice.Warn.Dispatch': 0}), serve(ice)))",
    "call": "call()",
    "storm": "pending.extend(storm(made[-1][1], 50) if made else [])",
    "destroy": "icegil.install(); icegil.destroy(made.pop()[0], 30) if made else None",
    "destroy plainly": "made.pop(0)[0].destroy() if made else None",
    "destroy in a loop": "asyncio.run(in_loop())",
    "drop": "made.clear()",
    "look": "icegil.status(); icegil.snapshot()",
    "record": "icegil.trace.start()",
    "fork": "fork()",
}
PROLOGUE = """
import asyncio, gc, os, sys, warnings
warnings.simplefilter("ignore")
import icegil
from icegil import Ice
from _echo import communicator, serve, storm
made, pending = [], []
empty = bytes([6, 0, 0, 0, 1, 1])  # an encapsulation with nothing in it: Ice refuses what is none
def call():
    if made:
        assert made[-1][1].ice_invoke("echo", Ice.OperationMode.Normal, empty) == (True, empty)
async def in_loop():
    icegil.install()
    await asyncio.gather(*(icegil.destroy_async(ice, 30) for ice, _ in made))
    made.clear()
def fork():
    child = os.fork()
    if child == 0:
        icegil.status(); icegil.snapshot()
        sys.exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""


@settings(max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=12))
def check_sequences(steps: list[str]) -> None:
    # Installed at the end: what lives then is icegil's to take down.
    code = PROLOGUE + "\n".join(STEPS[step] for step in steps) + "\nicegil.install()\nsys.exit(3)\n"
    done = python("-c", code)
    assert (done.status, done.stderr) == (3, ""), f"{steps}: status {done.status}\n{done.stderr[-5000:]}"


def test_no_sequence_of_calls_crashes_it() -> None:
    check_sequences()


def test_a_crash_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STEPS, "call", "os.kill(os.getpid(), 11)")
    with pytest.raises(AssertionError, match=r"\['call'\]: status -11"):
        check_sequences()
