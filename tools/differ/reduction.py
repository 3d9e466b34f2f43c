"""Reduces a program that fails to the fewest parts that still fail, and to the plainest frame around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tools.differ.child import Laboratory, Outcome, Side
from tools.differ.destructions import DESTRUCTIONS
from tools.differ.endings import ENDINGS
from tools.differ.judging import ENDS_BADLY, Comparison, Verdict, are_alike, compare, judge_end
from tools.differ.program import Program, Way

MOST_RUNS = 10
"""Guarded runs of a candidate before it is taken not to fail."""

PLAIN_RUNS = 2


def reduce(found: Comparison, laboratory: Laboratory) -> Program:
    """The smallest program to be had that fails like this one."""
    failures = sum(run.how is found.gravest.how for run in found.guarded)
    # One that fails in each run needs three to show that it does not any more, a rarer one as many more.
    runs = min(MOST_RUNS, 3 * len(found.guarded) // failures)
    return reduced(found.program, lambda candidate: _fails_likewise(candidate, found, laboratory, runs))


def reduced(program: Program, fails: Callable[[Program], bool]) -> Program:
    """Takes away what `fails` does not need, until nothing is left that could go."""
    has_changed = True
    while has_changed:
        has_changed = False
        for candidate in _simpler(program):
            if fails(candidate):
                program, has_changed = candidate, True
                break
    return program


def _simpler(program: Program) -> Iterator[Program]:
    """The programs that are one step simpler; those that save most first."""
    names = [part.name for part in program.parts]
    if len(names) > 2:
        half = len(names) // 2
        yield program.without(names[:half])
        yield program.without(names[half:])
    for name in names:
        yield program.without([name])
    for destruction in DESTRUCTIONS[1::-1]:
        if program.destruction not in DESTRUCTIONS[:2]:
            yield replace(program, destruction=destruction)
    plainest = replace(program, ending=ENDINGS[0]), replace(program, way=Way.RUN), replace(program, has_client=False)
    yield from (each for each in (*plainest, replace(program, imports_first=False)) if each != program)


def _fails_likewise(candidate: Program, found: Comparison, laboratory: Laboratory, runs: int) -> bool:
    """Whether it fails as the whole program did: a guarded run ends so and, if that was worse, plain ones well."""
    how = found.gravest.how
    plain: list[Outcome] = []
    for _ in range(runs):
        guarded = laboratory.run(candidate, Side.GUARDED)
        ended = judge_end(candidate, guarded)
        if (ended is None) == (how in ENDS_BADLY) or (ended is not None and ended.how is not how):
            continue
        if how in ENDS_BADLY and found.verdict is Verdict.BAD and not candidate.may_stand_still:
            return True  # whatever plain does, and that may be to hang
        plain = plain or [laboratory.run(candidate, Side.PLAIN) for _ in range(PLAIN_RUNS)]
        tried = compare(candidate, plain, [guarded])
        if are_alike(tried.gravest, found.gravest) and tried.verdict is found.verdict:
            return True
    return False
