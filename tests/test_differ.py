"""`make differ`: its programs, its verdicts and what it reduces a program to."""

import ast
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tools.differ import __main__ as command  # noqa: E402
from tools.differ import report  # noqa: E402
from tools.differ.campaign import Campaign, Finding  # noqa: E402
from tools.differ.child import ROOT as TREE  # noqa: E402
from tools.differ.child import Laboratory, Outcome, Side, target_of  # noqa: E402
from tools.differ.destructions import DESTRUCTIONS  # noqa: E402
from tools.differ.endings import ENDINGS  # noqa: E402
from tools.differ.judging import Comparison, How, Verdict, compare  # noqa: E402
from tools.differ.part import Destruction, Ending, Part, Target  # noqa: E402
from tools.differ.parts import PARTS  # noqa: E402
from tools.differ.program import COMMUNICATORS, FRAME, Program, Way, draw  # noqa: E402
from tools.differ.reduction import reduced  # noqa: E402

TARGETS = [Target((3, 11), 30708), Target((3, 13), 30803), Target((3, 10), 30605)]
UNDESTROYED, DESTROYED = DESTRUCTIONS[:2]
END = ENDINGS[0]


def program(*parts: Part, ending: Ending = END, destruction: Destruction = DESTROYED, way: Way = Way.RUN) -> Program:
    return Program(1, TARGETS[0], parts, destruction, ending, way, True, True, True)


def outcome(status: int = 0, stderr: str = "", stdout: str = "", seconds: float = 0.2, hung: bool = False) -> Outcome:
    return Outcome(status, stdout, stderr, seconds, hung)


# --- Programs


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_a_seed_makes_the_same_program_each_time(target: Target) -> None:
    texts = [draw(seed, target).text for seed in range(50)]
    assert texts == [draw(seed, target).text for seed in range(50)]
    assert len(set(texts)) == 50


def test_a_seed_makes_the_same_program_in_another_process() -> None:
    code = f"from tools.differ.program import *; print(draw(7, Target({TARGETS[0].python}, {TARGETS[0].ice})).text)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == draw(7, TARGETS[0]).text + "\n"


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_programs_compile(target: Target) -> None:
    for seed in range(100):
        each = draw(seed, target)
        compile(each.text, f"seed {seed}", "exec")
        compile(each.guarded_text, f"seed {seed}, guarded", "exec")


def test_no_program_prints_in_threads_and_flushes_in_a_child() -> None:
    drawn = [draw(seed, TARGETS[0]).parts for seed in range(1000)]
    printing = [parts for parts in drawn if any(part.prints for part in parts)]
    assert printing
    assert not [parts for parts in printing if any(part.flushes_in_child for part in parts)]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_each_part_makes_a_program(part: Part) -> None:
    for seed, target in itertools.product(range(4), TARGETS):
        text = Program(seed, target, (part,), DESTROYED, END, Way.RUN, True, False, False).text
        compile(text, part.name, "exec")


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.name)
def test_each_ending_makes_a_program_with_each_destruction(ending: Ending) -> None:
    for destruction, is_last in itertools.product(DESTRUCTIONS, (False, True)):
        text = Program(1, TARGETS[1], (), destruction, ending, Way.IMPORT, False, True, is_last).guarded_text
        compile(text, ending.name, "exec")


def test_only_the_import_differs_where_that_is_what_guards() -> None:
    each = program(PARTS[0], way=Way.IMPORT)
    pairs = zip(each.text.splitlines(), each.guarded_text.splitlines(), strict=True)
    assert [pair for pair in pairs if pair[0] != pair[1]] == [("import Ice", "from icegil import Ice")]
    assert program(PARTS[0]).guarded_text == program(PARTS[0], way=Way.VARIABLE).guarded_text == each.text


def test_names_are_told_apart() -> None:
    assert len({each.name for each in (*PARTS, *DESTRUCTIONS, *ENDINGS)}) == len(PARTS) + len(DESTRUCTIONS) + len(
        ENDINGS
    )


def test_parts_leave_each_others_names_alone() -> None:
    used: dict[str, Part] = {}
    frame = set(_names(FRAME + COMMUNICATORS.replace("CLIENT", "ice")))
    for part in PARTS:
        names = {name for text in (part.early, part.data, part.body) for name in _names(text)} - {"_", "each"}
        assert not names & frame, part.name
        for name in names:
            other = used.setdefault(name, part)
            assert other is part or (other.group and other.group == part.group), f"{name}: {part.name}, {other.name}"


def _names(text: str) -> Iterator[str]:
    """What these lines define."""
    for statement in ast.parse(dedent(re.sub(r"\{\{(.+?)(\|.+?)?\}\}", r"\1", text))).body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        else:
            nodes = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
            yield from (node.id for node in nodes if isinstance(node.ctx, ast.Store))


# --- Verdicts

WELL = outcome()
NOISY = outcome(stderr="Exception ignored in: something\n")
CRASHED, FAILED, HUNG = outcome(-11), outcome(1), outcome(-6, seconds=10, hung=True)
STUCK = outcome(
    stderr="not everything ended within 2 s of shutdown; the process leaves without it\n"
    'thread 4711 is in:\n  File "program.py", line 3, in stick\n',
    seconds=2.5,
)
STUCK_PART = Part("something never ends", is_stuck=True)
DEVELOPMENT = Part("development mode, for tests", options=("-X", "dev"))
SAYS = Part("something is said", stderr=("expected .*",))
SHOWN = outcome(stderr="program.py:3: ResourceWarning: this communicator was never destroyed by the program; ...\n")


@pytest.mark.parametrize(
    ("parts", "plain", "guarded", "verdict", "how"),
    [
        ((), [WELL], [WELL], Verdict.GOOD, How.WELL),
        ((), [CRASHED], [WELL], Verdict.GOOD, How.WELL),
        ((), [HUNG], [WELL], Verdict.GOOD, How.WELL),
        ((), [WELL], [HUNG], Verdict.WORSE, How.HANG),
        ((), [WELL], [CRASHED], Verdict.WORSE, How.CRASH),
        ((), [WELL], [FAILED], Verdict.WORSE, How.STATUS),
        ((), [WELL], [NOISY], Verdict.WORSE, How.NOISE),
        ((), [WELL], [STUCK], Verdict.WORSE, How.NOISE),
        ((), [WELL], [outcome(seconds=9)], Verdict.WORSE, How.SLOW),
        ((), [NOISY], [HUNG], Verdict.WORSE, How.HANG),
        ((), [NOISY], [NOISY], Verdict.GOOD, How.WELL),
        ((), [NOISY], [outcome(stderr="something else\n")], Verdict.BAD, How.NOISE),
        ((), [CRASHED], [STUCK], Verdict.GOOD, How.WELL),
        ((), [CRASHED], [NOISY], Verdict.BAD, How.NOISE),
        ((), [CRASHED], [HUNG], Verdict.BAD, How.HANG),
        ((), [HUNG], [HUNG], Verdict.BAD, How.HANG),
        ((), [WELL] * 4, [WELL, WELL, WELL, HUNG], Verdict.WORSE, How.HANG),
        ((), [WELL, WELL, WELL, CRASHED], [WELL, HUNG, HUNG, HUNG], Verdict.BAD, How.HANG),
        ((), [WELL, WELL, WELL, CRASHED] * 4, [WELL, HUNG, HUNG, HUNG] * 4, Verdict.WORSE, How.HANG),
        ((), [WELL] * 10 + [CRASHED] * 2, [WELL] * 6 + [HUNG] * 6, Verdict.BAD, How.HANG),
        ((), [WELL] * 33 + [CRASHED] * 7, [WELL] * 20 + [HUNG] * 20, Verdict.WORSE, How.HANG),
        ((), [WELL, WELL, WELL, CRASHED], [WELL, WELL, WELL, HUNG], Verdict.BAD, How.HANG),
        ((), [CRASHED, CRASHED, CRASHED, WELL], [HUNG] * 4, Verdict.BAD, How.HANG),
        ((STUCK_PART,), [WELL], [STUCK], Verdict.GOOD, How.WELL),
        ((STUCK_PART,), [HUNG], [HUNG], Verdict.STILL, How.HANG),
        ((STUCK_PART,), [HUNG], [CRASHED], Verdict.BAD, How.CRASH),
        ((STUCK_PART,), [WELL], [HUNG], Verdict.WORSE, How.HANG),
        ((SAYS,), [WELL], [outcome(stderr="expected something\n")], Verdict.GOOD, How.WELL),
        ((), [outcome(stderr="at 0x7f1\n")], [outcome(stderr="at 0x8a2\n")], Verdict.GOOD, How.WELL),
        ((), [outcome(stdout="kept\n")], [outcome(stdout="kept\nmore\n")], Verdict.GOOD, How.WELL),
        ((), [outcome(stdout="kept\n")], [outcome()], Verdict.WORSE, How.OUTPUT),
        ((), [outcome(stdout="failed: no goodbye\n")], [outcome()], Verdict.GOOD, How.WELL),
        ((), [outcome(stdout="kept\n")] * 4, [outcome(stdout="kept\n")] * 3 + [outcome()], Verdict.GOOD, How.WELL),
        ((), [outcome(stdout="kept\n")] * 4, [outcome(stdout="kept\n")] + [outcome()] * 3, Verdict.WORSE, How.OUTPUT),
        ((), [outcome(stdout="now\n"), outcome(stdout="then\n")], [outcome()], Verdict.GOOD, How.WELL),
    ],
)
def test_verdicts(
    parts: tuple[Part, ...], plain: list[Outcome], guarded: list[Outcome], verdict: Verdict, how: How
) -> None:
    found = compare(program(*parts), plain, guarded)
    assert (found.verdict, found.gravest.how) == (verdict, how)


def test_the_status_that_is_asked_for_is_the_one_that_is_well() -> None:
    leaves = next(ending for ending in ENDINGS if ending.status == 3)
    assert compare(program(ending=leaves), [outcome(3)], [outcome(3)]).verdict is Verdict.GOOD
    assert compare(program(ending=leaves), [outcome(3)], [outcome(0)]).verdict is Verdict.WORSE


def test_development_mode_may_show_what_the_program_left_undestroyed() -> None:
    left = program(DEVELOPMENT, destruction=UNDESTROYED)
    assert compare(left, [WELL], [SHOWN]).verdict is Verdict.GOOD
    assert compare(program(DEVELOPMENT), [WELL], [SHOWN]).verdict is Verdict.WORSE
    assert compare(program(destruction=UNDESTROYED), [WELL], [SHOWN]).verdict is Verdict.WORSE


def test_a_run_that_ice_cut_short_shows_nothing_of_what_is_printed_at_the_end() -> None:
    cut_short = outcome(stderr="error: communicator not destroyed during global destruction.\n", stdout="released\n")
    assert compare(program(), [cut_short], [WELL]).verdict is Verdict.GOOD
    assert compare(program(), [cut_short, outcome(stdout="released\n")], [WELL]).verdict is Verdict.WORSE
    assert compare(program(destruction=UNDESTROYED), [cut_short], [WELL]).verdict is Verdict.WORSE


# --- Reduction


def test_the_fewest_parts_that_fail_together_are_left() -> None:
    parts = [Part(name) for name in "abcdefg"]

    def fails(candidate: Program) -> bool:
        return {"b", "f"} <= {part.name for part in candidate.parts}

    found = reduced(program(*parts, ending=ENDINGS[1], way=Way.IMPORT), fails)
    assert [part.name for part in found.parts] == ["b", "f"]
    assert (found.ending, found.way) == (END, Way.RUN)


PLANTED = Part("it ends otherwise under icegil", "if 'icegil' in sys.modules:\n    os._exit(42)")


def test_a_planted_failure_is_found_reduced_and_written_down(tmp_path: Path) -> None:
    quiet = [part for part in PARTS if part.name in ("no collector", "oneways")]
    target = target_of(sys.executable)
    planted = Program(1, target, (quiet[0], PLANTED, quiet[1]), DESTROYED, ENDINGS[1], Way.IMPORT, False, False, False)
    laboratory = Laboratory(sys.executable)
    campaign = Campaign(laboratory, 2, reduces=True)
    told: list[tuple[Comparison, Finding | None]] = []
    campaign.run(iter([planted]), lambda comparison, finding: told.append((comparison, finding)))
    ((comparison, finding),) = told
    assert finding is not None
    assert comparison.verdict is Verdict.WORSE
    assert comparison.text.startswith("plain 4/4 well; guarded 4/4 wrong status: status 42 instead of status 3")
    assert finding.reduced.parts == (PLANTED,)
    assert finding.explains(comparison)
    path = report.write(finding, laboratory, tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(TREE)}
    for side, status in ((Side.PLAIN, 0), (Side.GUARDED, 42)):
        words = laboratory.command(finding.reduced, side, str(path))
        assert subprocess.run(words, env=environment, stdin=subprocess.DEVNULL).returncode == status
    assert "1 worse" in report.summary(campaign)


# --- The command


def test_only_so_many_programs_as_were_asked_for() -> None:
    drawn = command._limited((program() for _ in itertools.count()), 3, None)
    assert len(list(drawn)) == 3
    assert not list(command._limited(iter([program()]), None, 0))


def test_a_word_chooses_among_programs() -> None:
    chosen = itertools.islice(command.programs(itertools.count(), TARGETS[0], "coroutine servants"), 0)
    assert not list(chosen)
    found = next(command.programs(itertools.count(), TARGETS[1], "coroutine servants"))
    assert "coroutine servants" in found.names


def test_the_command_says_its_seeds_and_what_it_found() -> None:
    words = [sys.executable, "-m", "tools.differ", "-n", "0"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert re.search(r"^CPython 3\.\d+, Ice \d+; seeds from \d+ on$", done.stdout, re.MULTILINE)
    assert re.search(r"^0 programs in 0 s", done.stdout, re.MULTILINE)
    assert done.returncode == 0
