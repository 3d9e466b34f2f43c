"""Calls what icegil offers with arguments of every kind: run in a child process by test_any_arguments.py.

Each call is named on stdout before it is made, so that the last line says which one ended the process.
"""

import asyncio
import sys

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import icegil
from icegil import Ice

EXAMPLES = int(sys.argv[1])
ALLOWED = (TypeError, ValueError, icegil.GuardUnavailable)

numbers = st.one_of(st.integers(), st.floats(), st.booleans(), st.fractions(), st.decimals(), st.complex_numbers())
things = st.one_of(
    st.none(),
    numbers,
    st.text(),
    st.binary(),
    st.lists(st.integers(), max_size=2),
    st.sampled_from([object(), Ice, Ice.Communicator, asyncio]),
    st.builds(Ice.Communicator.__new__, st.just(Ice.Communicator)),
)
modes = st.one_of(st.sampled_from(["auto", "guard", "teardown"]), things)


def call(name, function, *arguments):
    print(name, ascii(arguments), flush=True)
    try:
        answer = function(*arguments)
    except ALLOWED as error:
        assert str(error), "an error that says nothing"
        return None
    return answer


async def in_loop(name, function, *arguments):
    wait = call(name, function, *arguments)
    assert wait is None, "no argument here is a communicator"


@settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
@given(communicator=things, timeout=things, mode=modes, capacity=numbers)
def every_call(communicator, timeout, mode, capacity):
    assert call("destroy", icegil.destroy, communicator, timeout) is None
    asyncio.run(in_loop("destroy_async", icegil.destroy_async, communicator, timeout))
    asyncio.run(in_loop("shutdown_completed", icegil.shutdown_completed, communicator))
    before = icegil.status()
    if call("install", icegil.install, mode, timeout) is None:
        assert icegil.status().mode == before.mode, "a refused call has changed something"
    call("trace.start", lambda path: icegil.trace.start(path) if not isinstance(path, str | bytes) else None, timeout)
    icegil.install("guard" if before.mode == "guard" else None, 5.0)


every_call()
print("done", flush=True)
