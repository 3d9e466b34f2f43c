"""`icegil run --report`: what it says of a shutdown, and that saying it changes nothing."""

import os
import subprocess
import textwrap

import pytest
from terminal import ICEGIL, in_pipe

from icegil.commands.torture.catalogue import SCENARIOS


def report_of(code: str, *options: str, **environment: str) -> tuple[int, str]:
    """Exit status of a program, and what it left on stderr, in one line."""
    seen = in_pipe("run", "--report", *options, "-c", textwrap.dedent(code), **environment)
    return seen.status, " ".join(seen.stderr.split())


def test_it_counts_communicators_by_who_destroyed_them() -> None:
    status, report = report_of("""
        import Ice
        first, second, third = [Ice.initialize() for _ in range(3)]
        first.destroy()
        first.destroy()  # once more is not one more
        """)
    assert status == 0
    assert report.startswith("icegil: 3 communicators made: 1 destroyed by the program, 2 at exit; ")
    assert " 0 refused, 0 parked" in report
    assert "the shutdown took 0." in report


def test_a_program_without_ice_has_one_too() -> None:
    status, report = report_of("raise SystemExit(3)")
    assert status == 3
    assert "0 communicators made: 0 destroyed by the program, 0 at exit" in report


def test_it_is_one_paragraph() -> None:
    seen = in_pipe("run", "--report", str(SCENARIOS / "never_destroyed.py"))
    assert "\n\n" not in seen.stderr
    assert seen.stderr.endswith(".\n")
    assert all(len(line) <= 120 for line in seen.stderr.splitlines())


def test_what_could_not_be_destroyed_is_counted() -> None:
    seen = in_pipe("run", "--report", "--drain-timeout", "0.2", str(SCENARIOS / "servant_waits_for_ever.py"))
    assert seen.status == 3
    assert "0 at exit, 1 not at all" in " ".join(seen.stderr.split())


def test_a_program_that_ends_in_a_servant_has_one() -> None:
    seen = in_pipe("run", "--report", str(SCENARIOS / "exit_in_servant.py"))
    assert seen.status == 7
    assert "icegil: 1 communicator made" in seen.stderr


def test_a_forked_child_prints_none() -> None:
    status, report = report_of("""
        import os, sys
        child = os.fork()
        if child == 0:
            sys.exit(4)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 4
        """)
    assert status == 0
    assert report.count("icegil:") == 1


def test_it_says_when_there_was_no_guard() -> None:
    _, report = report_of("", ICEGIL_MODE="teardown")
    assert report.endswith("there was no guard: the mode 'teardown' was asked for.")


def test_it_says_when_the_program_has_taken_icegil_away() -> None:
    assert report_of("import icegil; icegil.uninstall()") == (0, "icegil: it was not in place when the program ended.")


def test_without_it_nothing_is_printed() -> None:
    assert in_pipe("run", "-c", "import Ice; Ice.initialize()").stderr == ""


DEADLY = "import signal; signal.signal(signal.SIGPIPE, signal.SIG_DFL)"


@pytest.mark.parametrize("program", ["", DEADLY], ids=["sigpipe_ignored", "sigpipe_deadly"])
@pytest.mark.parametrize("stderr", ["broken", "full", "closed", "closed_by_program"])
def test_a_stderr_that_takes_nothing_does_not_change_the_exit_status(stderr: str, program: str) -> None:
    program += "\nimport sys"
    if stderr == "closed_by_program":
        program += "\nsys.stderr.close()"
    words = [*ICEGIL, "run", "--report", "-c", f"{program}\nsys.exit(3)"]
    if stderr == "broken":
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as pipe:
            assert subprocess.run(words, stderr=pipe, timeout=60).returncode == 3
    elif stderr == "full":
        with open("/dev/full", "wb") as full:
            assert subprocess.run(words, stderr=full, timeout=60).returncode == 3
    else:
        closing = ["sh", "-c", 'exec "$@" 2>&-', "sh"] if stderr == "closed" else []
        assert subprocess.run([*closing, *words], timeout=60).returncode == 3
