"""The rules of the boundary, read from the sources: what a reviewer would look for, looked for each time."""

import re
from pathlib import Path

import pytest

from icegil import redirects

ROOT = Path(__file__).parents[1]
HEADERS = sorted((ROOT / "include").rglob("*.hpp"))
FRONT = ROOT / "icegil" / "_bridge.pyx"
SUBJECTS = [ROOT / "icegil" / name for name in re.findall(r'^include "(.+)"', FRONT.read_text(), re.MULTILINE)]
BRIDGE = "\n".join(path.read_text() for path in (FRONT, *SUBJECTS))


def without_comments(source: str) -> str:
    source = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    return re.sub(r"//[^\n]*", "", source)


def functions() -> dict[str, tuple[str, str]]:
    """The `cdef` functions of the bridge: name, and its head and body."""
    pattern = re.compile(r"^cdef [^\n(=]*?(\w+)\((.*?)\)([^\n]*):\n((?:[ \t]+[^\n]*\n|\n)+)", re.MULTILINE | re.DOTALL)
    return {found[1]: (found[3], found[4]) for found in pattern.finditer(BRIDGE)}


FUNCTIONS = functions()
REPLACEMENTS = dict(re.findall(r'^    "(\w+)": <uintptr_t> <void\*> (\w+),', BRIDGE, re.MULTILINE))


def called_by_native_code() -> set[str]:
    """The functions whose addresses leave the bridge."""
    names = set(REPLACEMENTS.values())
    names |= set(re.findall(r"start_thread\((\w+), ", BRIDGE))
    names |= set(re.findall(r"on_exit\((\w+), NULL\)", BRIDGE))
    names |= set(re.findall(r"pthread_atfork\(NULL, NULL, (\w+)\)", BRIDGE))
    names |= set(re.findall(r"at_end = (\w+)\n", BRIDGE)) - {"NULL"}
    return names


def test_the_functions_are_found() -> None:
    expected = {
        "on_PyGILState_Ensure",
        "on_PyGILState_Release",
        "on_PyEval_RestoreThread",
        "errand_thread",
        "watch_thread",
        "leave_now",
        "free_thread_state",
        "on_pthread_mutex_lock",
    }
    assert expected <= called_by_native_code() <= set(FUNCTIONS)


@pytest.mark.parametrize("name", sorted(called_by_native_code()))
def test_what_native_code_calls_raises_nothing_and_needs_no_gil(name: str) -> None:
    head, _ = FUNCTIONS[name]
    assert head.strip() == "noexcept nogil"


@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
def test_no_header_knows_python(header: Path) -> None:
    found = re.findall(r"Python\.h|\b_?Py[A-Z]\w*|\bPY_\w+", without_comments(header.read_text()))
    assert not found


def test_each_subject_of_the_boundary_is_short() -> None:
    boundary = [*(ROOT / "icegil/bridge").iterdir(), *(ROOT / "icegil").glob("_bridge.p*")]
    lengths = {path.name: len(path.read_text().splitlines()) for path in boundary}
    assert set(SUBJECTS) == set((ROOT / "icegil/bridge").glob("*.pxi"))
    assert max(lengths.values()) <= 250 and lengths["_bridge.pyx"] < 200, lengths


@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
def test_each_header_has_declarations_of_its_name(header: Path) -> None:
    assert (ROOT / "icegil/bridge" / f"{header.stem}.pxd").exists()


def test_what_stands_in_for_a_function_is_named_after_it_and_stands_in_the_list() -> None:
    listed = {each.import_name: f"on_{each.name.replace('::', '_')}" for each in redirects.FUNCTIONS}
    assert listed == REPLACEMENTS


def test_the_page_lists_what_is_redirected() -> None:
    page = (ROOT / "docs/how-it-works.md").read_text()
    rows = re.findall(r"^\| `([\w:]+)` \| ([^|]+?) \|", page, re.MULTILINE)
    listed = [
        (each.name, each.imported_by + (f", {each.versions}" if each.versions else "")) for each in redirects.FUNCTIONS
    ]
    assert sorted(rows) == sorted(listed)


def test_only_the_bridge_is_compiled() -> None:
    assert [path.name for path in (ROOT / "icegil").rglob("*.pyx")] == ["_bridge.pyx"]
    assert not [path for path in (ROOT / "icegil").rglob("*") if path.suffix in {".c", ".cpp", ".cc"}]


def test_versions_are_told_apart_in_one_place() -> None:
    check = re.compile(r"version_info [<>=]|hexversion|PY_VERSION_HEX|intVersion|python_version\(\) [<>=]")
    sources = {path.name: path.read_text() for path in (ROOT / "icegil").rglob("*.py")}
    users_programs = ROOT / "icegil/commands/torture/scenarios"
    scenarios = {path.name for path in users_programs.iterdir()}
    assert {name for name, source in sources.items() if check.search(source)} - scenarios == {"_compat.py"}
    interpreter = (ROOT / "icegil/bridge/interpreter.pxd").read_text()
    before, _, rest = interpreter.partition("# What differs between CPython's versions, in one place.\n")
    block, _, after = rest.partition('\n    """\n    bint ')
    assert check.search(block) and not check.search(before + after + BRIDGE)


def entering() -> list[str]:
    return sorted(name for name, (_, body) in FUNCTIONS.items() if re.search(r"\btry_enter\(|enter_or_park\(", body))


@pytest.mark.parametrize("name", entering())
def test_who_enters_the_gate_leaves_it_on_every_path(name: str) -> None:
    _, body = FUNCTIONS[name]
    if name in ("on_PyGILState_Ensure", "enter_or_park"):  # acquires: their callers leave
        assert "gate.leave(" not in body
        return
    after = body[re.search(r"\btry_enter\([^\n]*|enter_or_park\([^\n]*", body).end() :]  # type: ignore[union-attr]
    refused = re.match(r":?\n\s+(?:return|[^\n]*park)[^\n]*\n", after)
    admitted = after[refused.end() :] if refused else after
    left = admitted.rfind("gate.leave(")
    assert left >= 0, "it never leaves"
    assert "return" not in admitted[:left], "it may return before it has left"
    assert not re.search(r"\bwith gil|PyEval_RestoreThread|PyGILState_Ensure", admitted[left:]), (
        "the GIL after the gate"
    )


@pytest.mark.parametrize("name", ["on_PyGILState_Release"])
def test_the_gil_goes_before_the_gate_is_left(name: str) -> None:
    _, body = FUNCTIONS[name]
    assert body.rfind("PyEval_SaveThread()") < body.find("gate.leave(")
    assert body.rfind("PyGILState_Release(state)") < body.find("gate.leave(")


def test_after_each_call_of_python_a_debug_build_looks_whether_it_has_the_gil() -> None:
    for name in ("run_errand", "run_late", "on_first_entry", "on_end"):
        _, body = FUNCTIONS[name]
        calls = re.findall(r"^\s+(?:work\(\)|late\(\)|completed\(error\)|thread_hooks\[\d\]\(\))\n", body, re.MULTILINE)
        assert calls and body.count("check_gil(") == len(calls), name
    assert 'check_gil("a callback of IcePy")' in FUNCTIONS["on_PyGILState_Release"][1]


def test_a_thread_that_holds_the_gil_is_never_parked() -> None:
    _, body = FUNCTIONS["on_PyGILState_Ensure"]
    assert body.index("if holds_gil():") < body.index("enter_or_park(")
    for name, (_, body) in FUNCTIONS.items():
        for waits in re.finditer(r"give_gil_away\((?!\n)", body):
            assert "holds_gil()" in body[: waits.end() + 80], name
