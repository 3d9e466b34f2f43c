"""`icegil torture`: how a campaign shows, what it writes, what it ends with, and that it leaves nothing behind."""

import json
import os
import re
import signal
import subprocess
import uuid
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn
from xml.etree import ElementTree

import Ice
import pytest
from terminal import ICEGIL, Seen, in_pipe, in_terminal

from icegil.commands.cli import main
from icegil.commands.torture.campaign import HANGS_ENOUGH, Campaign
from icegil.commands.torture.catalogue import SCENARIOS, Scenario, read, scenarios
from icegil.commands.torture.endings import Ending, Kind, Verdict, judge, telling_line
from icegil.commands.torture.heat_map import heat_map
from icegil.commands.torture.junit import junit
from icegil.commands.torture.results import Cell, Results, Run, Side

NAMES = ("never_destroyed", "never_destroyed_status")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("torture")


@pytest.fixture(scope="module")
def piped(folder: Path) -> Seen:
    """One campaign that writes all it can, for the tests that look at one thing each."""
    files = (f"--{kind}={folder / kind}" for kind in ("json", "junit", "svg"))
    return in_pipe("torture", "-n", "2", *files, *NAMES)


def test_a_pipe_gets_the_table_on_stdout_and_progress_on_stderr(piped: Seen) -> None:
    assert piped.status == 0
    assert "\x1b" not in piped.stdout + piped.stderr
    for name in NAMES:
        assert re.search(rf"^{name}  .*\b2/2 ok\b", piped.stdout, re.MULTILINE)
    assert "icegil: 4 of 4 runs ended well" in piped.stdout
    assert re.search(r"^8/8 runs, plain \d/4 ok, icegil 4/4 ok", piped.stderr, re.MULTILINE)


def test_json_tells_everything(piped: Seen, folder: Path) -> None:
    found = json.loads((folder / "json").read_text())
    assert found["facts"]["zeroc-ice"] == Ice.stringVersion()
    assert found["scores"]["icegil"] == {"good": 4, "runs": 4}
    assert [each["name"] for each in found["scenarios"]] == list(NAMES)
    for scenario in found["scenarios"]:
        for side in ("plain", "icegil"):
            assert len(scenario[side]["runs"]) == 2
            for run in scenario[side]["runs"]:
                assert run["verdict"] in list(Kind)
                assert run["seconds"] > 0
        assert {run["status"] for run in scenario["icegil"]["runs"]} == {scenario["status"]}


def test_junit_has_a_test_case_for_each_scenario_and_side(piped: Seen, folder: Path) -> None:
    root = ElementTree.parse(folder / "junit").getroot()
    cases = {(case.get("classname"), case.get("name")): case for case in root.iter("testcase")}
    assert set(cases) == {(f"torture.{side}", name) for side in Side for name in NAMES}
    assert all(cases["torture.icegil", name].find("failure") is None for name in NAMES)
    assert root.get("tests") == "4"
    assert int(root.get("failures", "")) == sum(case.find("failure") is not None for case in cases.values())


def test_svg_has_a_row_for_each_scenario_and_a_column_for_each_side(piped: Seen, folder: Path) -> None:
    root = ElementTree.parse(folder / "svg").getroot()
    assert root.tag == f"{SVG}svg"
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts.count("2/2 ok") >= 2
    assert set(NAMES) <= set(texts)
    assert len(list(root.iter(f"{SVG}g"))) == 4


def test_a_terminal_gets_a_bar_and_then_a_framed_table() -> None:
    seen = in_terminal("torture", "-n1", "--guarded", NAMES[0])
    assert seen.status == 0
    assert "0/1 runs" in seen.text
    assert re.search(r"│ never_destroyed │ 1/1 ok │", seen.text)


def test_ctrl_c_shows_what_there_is_and_leaves_no_process() -> None:
    mark = uuid.uuid4().hex
    # The servant of this one never returns, and does not care for Ctrl-C.
    words = ("torture", "-n", "100", "-j", "2", "--guarded", NAMES[0], "servant_waits_for_ever")
    seen = in_terminal(*words, ctrl_c_at="1/200 runs", TORTURE_MARK=mark)
    assert seen.status == 128 + signal.SIGINT
    assert re.search(r"│ never_destroyed +│ \d+/\d+ ok, \d+ not run │", seen.text)
    assert "stopped after" in seen.text
    assert "Traceback" not in seen.text
    assert not marked(mark)


def test_sigterm_leaves_no_process_either() -> None:
    mark = uuid.uuid4().hex
    words = [*ICEGIL, "torture", "-n", "100", "--stock", NAMES[0]]
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "TORTURE_MARK": mark}
    )
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    stdout, _ = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert "not run" in stdout
    assert not marked(mark)


def marked(mark: str) -> list[str]:
    """The processes that have this mark in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text())
        except OSError:  # it has ended, or is somebody else's
            continue
    return found


def test_a_guarded_run_that_falls_short_is_told_and_ends_in_1() -> None:
    # A warning that somebody asks for is noise as far as a scenario is concerned.
    seen = in_pipe("torture", "-n1", NAMES[0], PYTHONWARNINGS="always::ResourceWarning")
    assert seen.status == 1
    assert "icegil falls short in never_destroyed: unasked on stderr" in seen.stderr
    assert re.search(r"never_destroyed  .*\b1 noise .*ResourceWarning", seen.stdout)


def test_plain_runs_do_not_matter_for_the_status() -> None:
    assert in_pipe("torture", "-n1", "--stock", NAMES[0]).status == 0


def test_what_this_ice_has_not_is_skipped() -> None:
    lacking = next((each for each in scenarios() if not all(hasattr(Ice, name) for name in each.needs)), None)
    if lacking is None:
        pytest.skip("this Ice has all that the scenarios need")
    seen = in_pipe("torture", "-n1", lacking.name)
    assert seen.status == 0
    assert re.search(rf"{lacking.name}  skipped  skipped  Ice .* has no ", seen.stdout)


def test_the_list_has_a_line_for_each_scenario() -> None:
    seen = in_pipe("torture", "--list")
    assert seen.status == 0
    assert [line.split()[0] for line in seen.stdout.splitlines()[2:]] == [each.name for each in scenarios()]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-n", "0"], "argument -n: a whole number from 1 on is needed, not '0'"),
        (["-n", "-1"], "argument -n: a whole number from 1 on is needed, not '-1'"),
        (["-n", "x"], "argument -n: a whole number from 1 on is needed, not 'x'"),
        (["-j", "0"], "argument -j: a whole number from 1 on is needed, not '0'"),
        (["never_destroid"], "there is no scenario 'never_destroid'; did you mean never_destroyed"),
        (["xyzzy"], "there is no scenario 'xyzzy'; `icegil torture --list` shows them all"),
        (["--stock", "--guarded"], "not allowed with"),
        (["--json", "/nowhere/at/all"], "No such file or directory: '/nowhere/at/all'"),
    ],
)
def test_a_mistake_on_the_command_line_is_named_and_ends_in_2(words: list[str], complaint: str) -> None:
    seen = in_pipe("torture", *words)
    assert seen.status == 2
    assert complaint in seen.stderr
    assert "Traceback" not in seen.stderr


def test_without_ice_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "Ice.py").write_text("raise ModuleNotFoundError('there is no Ice', name='Ice')")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    seen = in_pipe("torture", "-n1", NAMES[0], PYTHONPATH=path)
    assert seen.status == 1
    assert seen.stderr == "icegil torture: no scenario can be run: there is no Ice\n"


# --- What a campaign is made of -------------------------------------------------------------------------------------


def scenario(path: Path, **fields: object) -> Scenario:
    known = {"title": "A", "hazard": "b", "status": 0, "stderr": "", "within": 20.0, "needs": ()}
    return Scenario(path=path, **{**known, **fields})  # type: ignore[arg-type]


def test_plain_runs_that_hang_again_and_again_are_left_out(tmp_path: Path) -> None:
    stuck = tmp_path / "stuck.py"
    stuck.write_text("import threading; threading.Event().wait()")
    ice = SimpleNamespace(stringVersion=lambda: "0")
    campaign = Campaign([scenario(stuck, within=0.2)], [Side.PLAIN], 10, 1, ice)  # type: ignore[arg-type]
    campaign.run(lambda cell, run: None)
    (cell,) = campaign.results.cells
    assert cell.text == f"{HANGS_ENOUGH} hang, {10 - HANGS_ENOUGH} not run"
    assert "which is enough" in cell.skipped
    assert campaign.done == campaign.total == HANGS_ENOUGH
    assert "in wait (threading.py:" in cell.short[0].message


def test_of_an_exception_that_python_cannot_print_the_object_is_told() -> None:
    told = "object repr     : RuntimeError('unable to get sys.modules')"
    dump = f"sys.excepthook is missing\nobject type name: RuntimeError\n{told}\nlost sys.stderr\n"
    assert telling_line(dump) == told
    assert telling_line(f"{dump}ValueError: a word\n") == "ValueError: a word"


def test_a_line_without_a_word_tells_nothing() -> None:
    assert telling_line("!! \n") == ""
    assert telling_line("a word\n!! \n") == "a word"


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        (Ending(0, "", "", 1, False), Kind.OK),
        (Ending(0, "", "", 21, False), Kind.SLOW),
        (Ending(0, "", "!", 1, False), Kind.NOISE),
        (Ending(3, "", "", 1, False), Kind.STATUS),
        (Ending(-signal.SIGSEGV, "", "!", 1, False), Kind.CRASH),
        (Ending(-signal.SIGABRT, "", "", 30, True), Kind.HANG),
    ],
)
def test_endings_are_judged_by_the_gravest_thing(ending: Ending, kind: Kind) -> None:
    assert judge(ending, scenario(Path("x.py"))).kind is kind


def results(*runs: tuple[int, Kind, str]) -> Results:
    made = [Run(status, 1.0, Verdict(kind, "" if kind is Kind.OK else "bad"), stderr) for status, kind, stderr in runs]
    cell = Cell(scenario(Path("x.py")), Side.GUARDED, len(made), made)
    facts = dict.fromkeys(("icegil", "zeroc-ice", "python", "implementation"), "1")
    return Results(datetime.now(timezone.utc), facts, len(made), 1, [cell])


def test_counts_are_put_in_words() -> None:
    crashes = [(-11, Kind.CRASH, ""), (-6, Kind.CRASH, ""), (-11, Kind.CRASH, "")]
    (cell,) = results((0, Kind.OK, ""), *crashes, (120, Kind.STATUS, ""), (0, Kind.SLOW, "")).cells
    assert cell.text == "1 ok, 3 crash (SIGSEGV 2, SIGABRT 1), 1 status 120, 1 slow"
    assert results(*crashes[:1]).cells[0].text == "1 crash (SIGSEGV)"


def test_the_message_is_what_tells_most() -> None:
    bare = "Fatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n"
    bare += '  File "/a/b.py", line 3 in run\n'
    for stderr, message in (
        (bare, "Segmentation fault, in run (b.py:3)"),
        ("terminate called\nFatal Python error: Aborted\n", "terminate called"),
        ("!! 11/22/26 17:06:14.211 error: left over\n", "error: left over"),
        ("Traceback\n  raise RuntimeError('x')\nRuntimeError: x\n!! error: left over", "RuntimeError: x"),
        ("", "bad"),
    ):
        assert results((-11, Kind.CRASH, stderr)).cells[0].runs[0].message == message


def test_whatever_a_program_prints_the_files_are_well_formed() -> None:
    odd = results((-11, Kind.CRASH, "error: <&\x00\x1b[1m\ud800\ufffe\U0001f9ca]]>"), (0, Kind.OK, ""))
    case = ElementTree.fromstring(junit(odd)).find(".//testcase")
    assert case is not None
    assert case.findtext("failure", "").startswith("bad\nerror: <&")
    ElementTree.fromstring(heat_map(odd))


def test_each_scenario_may_be_given_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_campaign(wanted: list[Scenario], *_: object) -> NoReturn:
        raise LookupError(wanted[0].within)

    monkeypatch.setattr("icegil.commands.torture.command.Campaign", no_campaign)
    with pytest.raises(LookupError) as stopped:
        main(["torture", "--times", "3", "never_destroyed"])
    assert stopped.value.args == (3 * read(SCENARIOS / "never_destroyed.py").within,)
