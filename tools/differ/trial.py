"""Tries a program on both sides: once, and some times more where it did not end well under icegil."""

from __future__ import annotations

from tools.differ.child import Laboratory, Outcome, Side
from tools.differ.judging import Comparison, How, Verdict, compare
from tools.differ.program import Program

AGAIN = 3
"""Further runs of each side when a program did not end well: many a one is a race."""

FOR_A_RACE = 8
"""Still further ones when only some guarded runs are worse: plain may lose the same race, and have had luck."""

FOR_ODDS = 28
"""And more, when plain has lost it, or may yet: how often each side does is what is left to compare."""


def try_out(program: Program, laboratory: Laboratory) -> Comparison:
    """Runs it once on each side, and more often if that is not good."""
    plain: list[Outcome] = []
    guarded: list[Outcome] = []

    def compare_more(runs: int) -> Comparison:
        for _ in range(runs):
            plain.append(laboratory.run(program, Side.PLAIN))
            guarded.append(laboratory.run(program, Side.GUARDED))
        return compare(program, plain, guarded)

    found = compare_more(1)
    if found.verdict not in (Verdict.GOOD, Verdict.STILL):
        found = compare_more(AGAIN)
    if found.verdict is Verdict.WORSE and any(run.how is How.WELL for run in found.guarded):
        found = compare_more(FOR_A_RACE)
    is_rare = found.verdict is Verdict.WORSE and any(run.how is How.WELL for run in found.guarded)
    if is_rare or found.is_race:
        found = compare_more(FOR_ODDS)
    return found
