"""The finalization gate without Python in the loop: each promise of native/test_gate.cpp, plain and sanitized."""

from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from sanitizers import SANITIZERS, compile_with, launcher_for, run

SOURCE = Path(__file__).parent / "native/test_gate.cpp"

CASES = [
    "the_runtime_closes_only_when_nobody_is_inside",
    "nobody_is_admitted_after_drain_answered_empty",
    "a_thread_interrupted_at_the_gate_is_waited_for_or_refused",
    "drain_answers_empty_whoever_knocks",
    "a_closed_gate_refuses_and_counts",
    "nested_entries_pass_in_every_state",
    "the_finalizer_is_never_refused",
    "the_finalizer_does_not_wait_for_itself",
    "the_finalizer_waits_for_others_while_it_is_inside",
    "the_deadline_is_kept_and_says_how_many_are_inside",
    "the_deadline_counts_nobody_who_was_refused",
    "occupants_are_those_inside",
    "no_wake_up_is_lost",
    "a_parked_thread_never_returns_and_holds_up_nobody",
    "a_thread_that_parks_inside_is_inside_no_more",
    "a_parked_thread_does_not_heed_its_cancellation",
    "a_thread_that_ended_inside_is_not_waited_for",
    "a_thread_that_is_unwound_inside_wakes_the_finalizer",
    "a_thread_local_destructor_after_the_record_is_still_counted",
    "a_thread_may_come_for_the_first_time_from_a_key_destructor",
    "leaving_without_an_entry_counts_nobody_out",
    "counters_add_up_over_a_storm",
    "most_is_how_many_were_inside_at_once",
    "threads_may_come_and_go_while_somebody_looks",
    "a_forked_child_has_a_new_gate",
    "a_forked_child_has_a_mutex_of_its_own",
    "a_child_forked_beside_a_sleeping_finalizer_can_drain",
    "a_thread_that_forked_inside_leaves_in_the_child",
    "there_is_one_finalizer_the_latest",
]
STARTS_THREADS_IN_A_FORKED_CHILD = {"a_child_forked_beside_a_sleeping_finalizer_can_drain"}


@dataclass(frozen=True)
class Program:
    """The test program, compiled with one of the sanitizers or none."""

    sanitizer: str
    command: list[str]

    def run(self, argument: str) -> "CompletedProcess[str]":
        return run(*self.command, argument)


@pytest.fixture(scope="module", params=SANITIZERS)
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Program:
    folder = tmp_path_factory.mktemp(request.param)
    launcher = launcher_for(request.param, folder)
    return Program(request.param, [*launcher, str(compile_with(request.param, SOURCE, folder))])


@pytest.mark.parametrize("case", CASES)
def test_the_gate_keeps_its_promise(program: Program, case: str) -> None:
    if program.sanitizer == "thread" and case in STARTS_THREADS_IN_A_FORKED_CHILD:
        pytest.skip("ThreadSanitizer supports no new threads in the forked child of a threaded process")
    done = program.run(case)
    assert (done.returncode, done.stderr) == (0, ""), f"exit status {done.returncode}\n{done.stdout}{done.stderr}"


def test_every_case_of_the_program_is_run(program: Program) -> None:
    assert program.run("--list").stdout.split() == CASES
