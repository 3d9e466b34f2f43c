"""`make leaks`: it finds what is kept, to the byte, and nothing where nothing is kept."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import Ice
import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tools.leaks import measuring, memory, table  # noqa: E402
from tools.leaks.children import Effort, Side  # noqa: E402
from tools.leaks.measuring import Kept, Readings  # noqa: E402
from tools.leaks.operation import Operation  # noqa: E402
from tools.leaks.operations import OPERATIONS  # noqa: E402
from tools.leaks.results import BYTES, OBJECTS, Measuring, Result, Verdict  # noqa: E402

PLANTED = """
import ctypes
import gc
from tools.leaks.operation import operation

malloc = ctypes.CDLL(None).malloc
malloc.restype = ctypes.c_void_p
kept = []


def each(operate):
    def work(count):
        for _ in range(count):
            operate()
    yield work


@operation("nothing is kept")
def nothing():
    yield from each(lambda: [object(), bytes(1000)])


@operation("garbage is collected")
def garbage():
    def operate():
        cycle = []
        cycle.append(cycle)
    yield from each(operate)


@operation("once and for all")
def once():
    made = iter(range(10**9))
    def operate():
        if next(made) == 2500:
            kept.append(bytes(10**6))
            kept.extend([] for _ in range(1000))
    yield from each(operate)


@operation("16 bytes of C")
def bytes_of_c():
    yield from each(lambda: malloc(16) and None)


@operation("a list")
def a_list():
    yield from each(lambda: kept.append([]))


@operation("1000 bytes now and then")
def now_and_then():
    made = iter(range(10**9))
    yield from each(lambda: next(made) % 10 or malloc(1000) and None)


@operation("a list that only C++ can mend", known="it is C++")
def known():
    yield from each(lambda: kept.append([]))


@operation("what this Ice has not", ice=("Nowhere.Found",))
def missing():
    yield from each(lambda: 1 / 0)


@operation("an error")
def error():
    yield from each(lambda: 1 / 0)
"""


def leaks(folder: Path, *arguments: str) -> tuple[int, dict[str, dict[str, object]]]:
    """The exit status of a run with the planted operations, and what it says of each."""
    (folder / "planted.py").write_text(PLANTED)
    file = folder / "leaks.json"
    path = os.pathsep.join(filter(None, [str(ROOT), str(folder), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "tools.leaks", "--operations", "planted", "--json", str(file), *arguments]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert file.exists(), done.stderr
    results = json.loads(file.read_text())["results"]
    return done.returncode, {each["operation"]: each for each in results}


@pytest.mark.parametrize("name", ["nothing is kept", "garbage is collected", "once and for all"])
def test_what_keeps_nothing_is_clean(tmp_path: Path, name: str) -> None:
    status, results = leaks(tmp_path, "--only", name)
    assert (status, results[name]["verdict"]) == (0, "keeps nothing"), results
    for side in Side:
        kept = Kept(**results[name][side])  # type: ignore[arg-type]
        assert abs(kept.bytes) <= BYTES and abs(kept.objects) <= OBJECTS


@pytest.mark.parametrize(
    ("name", "fewest", "most", "objects"),
    [
        ("16 bytes of C", 24, 40, 0),  # a block of malloc has 8 bytes more, and is a multiple of 16
        ("a list", 64, 100, 1),  # itself, with its header, and where it is noted
        ("1000 bytes now and then", 96, 110, 0),
    ],
)
def test_what_is_kept_is_found_and_its_size(
    tmp_path: Path, name: str, fewest: float, most: float, objects: float
) -> None:
    status, results = leaks(tmp_path, "--only", name)
    assert (status, results[name]["verdict"]) == (1, "keeps something")
    for side in Side:
        kept = Kept(**results[name][side])  # type: ignore[arg-type]
        assert fewest <= kept.bytes <= most
        assert kept.objects == pytest.approx(objects, abs=OBJECTS)


def test_the_short_form_finds_it_too_and_looks_at_the_guarded_side_alone(tmp_path: Path) -> None:
    status, results = leaks(tmp_path, "--short", "--only", "16 bytes of C")
    assert status == 1
    assert "guarded" in results["16 bytes of C"] and "plain" not in results["16 bytes of C"]


def test_what_is_known_is_shown_and_fails_no_run(tmp_path: Path) -> None:
    file = tmp_path / "leaks.md"
    status, results = leaks(tmp_path, "--only", "only C++ can mend", "--markdown", str(file))
    assert (status, [each["verdict"] for each in results.values()]) == (0, ["known"])
    assert "- a list that only C++ can mend: known: it is C++" in file.read_text()


def test_what_the_version_has_not_is_left_out_and_said(tmp_path: Path) -> None:
    status, results = leaks(tmp_path, "--only", "what this Ice has not")
    assert (status, [each["verdict"] for each in results.values()]) == (0, ["left out"])
    assert results["what this Ice has not"]["missing"] == f"Ice {Ice.stringVersion()} has no Nowhere.Found"


def test_an_operation_that_fails_fails_the_run(tmp_path: Path) -> None:
    status, results = leaks(tmp_path, "--only", "an error")
    assert (status, results["an error"]["verdict"]) == (1, "failed")
    assert "ZeroDivisionError" in str(results["an error"]["guarded"])


def test_no_operation_of_that_name_is_an_error_of_the_command_line() -> None:
    command = [sys.executable, "-m", "tools.leaks", "--only", "no such thing"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "no such thing" in done.stderr


def _results(*names: str, sides: tuple[Side, ...]) -> list[Result]:
    measuring = Measuring("tools.leaks.operations", sides, Effort(windows=3), 1)
    return list(measuring.take([OPERATIONS[name] for name in names], lambda said: None))


def test_synchronous_calls_keep_nothing() -> None:
    (result,) = _results("synchronous two-way, empty", sides=(Side.PLAIN, Side.GUARDED))
    assert result.verdict is Verdict.CLEAN, result.sides


@pytest.mark.skipif(not 30800 <= Ice.intVersion() <= 30803, reason="these versions keep the futures")
def test_it_sees_that_plain_ice_keeps_every_future() -> None:
    (result,) = _results("asynchronous two-way, empty", sides=(Side.PLAIN,))
    kept = result.sides[Side.PLAIN]
    assert isinstance(kept, Kept)
    assert kept.bytes > 3000 and kept.objects > 5


def test_a_growth_that_comes_once_is_in_one_window_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    values = iter([(0, 0, 0), (100, 0, 1), (5200, 4096, 2), (5300, 4096, 3)])
    monkeypatch.setattr(measuring, "read", lambda: next(values))
    readings = Readings(4)
    for _ in range(4):
        readings.take()
    assert readings.growth() == [100, 0, 1]


def test_no_reading_while_a_thread_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "PATIENCE", 0.2)
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(0.0001):
            pass

    thread = threading.Thread(target=run)
    thread.start()
    try:
        with pytest.raises(memory.NeverAtRest):
            memory.read()
    finally:
        ended.set()
        thread.join()


def test_a_side_that_failed_is_in_the_table() -> None:
    operation = Operation("it", contextlib.nullcontext)  # type: ignore[arg-type]
    result = Result(operation, {Side.PLAIN: "SIGSEGV: gone", Side.GUARDED: Kept(0.4, 0.0, 0.0)})
    assert "| it | SIGSEGV |  | 0 | 0 |" in table.markdown([result])
    assert not result.is_bad
