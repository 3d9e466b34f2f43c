"""Tries a program on both sides: once, and some times more where it did not end well under icegil."""

from __future__ import annotations

from tools.differ.child import Laboratory, Side
from tools.differ.judging import Comparison, Verdict, compare
from tools.differ.program import Program

AGAIN = 3
"""Further runs of each side when a program did not end well: many a one is a race."""


def try_out(program: Program, laboratory: Laboratory) -> Comparison:
    """Runs it once on each side, and if that is not good `AGAIN` times more."""
    plain = [laboratory.run(program, Side.PLAIN)]
    guarded = [laboratory.run(program, Side.GUARDED)]
    found = compare(program, plain, guarded)
    if found.verdict in (Verdict.GOOD, Verdict.STILL):
        return found
    for _ in range(AGAIN):
        plain.append(laboratory.run(program, Side.PLAIN))
        guarded.append(laboratory.run(program, Side.GUARDED))
    return compare(program, plain, guarded)
