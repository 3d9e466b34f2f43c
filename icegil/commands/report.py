"""What `icegil run --report` prints at the end: what the shutdown found and did, in one paragraph on stderr."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import textwrap

import icegil.guard as guard
import icegil.lifecycle as lifecycle
import icegil.shutdown as shutdown


def at_exit(process_name: str = "") -> None:
    """Has the report printed when this process has been torn down, under the process's name if it has one.

    A process that ends without its handlers (killed, `os._exit`) prints nothing, and neither does a forked child.
    """
    process = os.getpid()

    def print_report() -> None:
        if os.getpid() == process:
            name = f"icegil ({process_name})" if process_name else "icegil"
            _write(textwrap.fill(f"{name}: {report()}", 120) + "\n")

    shutdown.afterwards(print_report)


def report() -> str:
    """The paragraph."""
    status, tally = guard.status(), lifecycle.tally
    if tally.teardown_seconds is None:
        return "it was not in place when the program ended."
    left = tally.made - tally.destroyed
    gate, given = status.gate, status.gil_given_away
    times = given.for_lock + given.for_wait + given.for_join
    why = f": {given.for_lock} for a lock, {given.for_wait} for a condition, {given.for_join} for the end of a thread"
    calls = status.calls
    sentences = [
        f"{_count(tally.made, 'communicator')} made: {tally.destroyed - tally.destroyed_at_exit} destroyed by the "
        f"program, {tally.destroyed_at_exit} at exit" + (f", {left} not at all" if left else ""),
        f"entries into Python: {gate.admitted} admitted, {gate.refused} refused, {gate.parked} parked, {gate.dropped} "
        "dropped with their event loop",
        f"the GIL was given away {_count(times, 'time')}{why if times else ''}",
        f"asynchronous calls: {calls.begun}, of which IcePy would have kept {calls.given_back} for good",
        f"the shutdown took {tally.teardown_seconds:.3f} s",
    ]
    if status.reason:
        sentences.append(f"there was no guard: {status.reason}")
    return f"{'; '.join(sentences)}."


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _write(text: str) -> None:
    """Writes to stderr without leaving anything in a buffer: if that cannot be flushed later, the exit status is 120.

    For the same reason a SIGPIPE that the program has given its deadly meaning back is held off and thrown away.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGPIPE])
    with contextlib.suppress(ValueError, OSError):  # stderr is closed, or nobody reads it
        if sys.__stderr__ is not None:
            os.write(sys.__stderr__.fileno(), text.encode("ascii", "backslashreplace"))
    if signal.SIGPIPE not in before:
        signal.sigtimedwait([signal.SIGPIPE], 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
