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
BODIES = {name: re.sub(r" *#[^\n]*", "", body) for name, (_, body) in FUNCTIONS.items()}
SUBJECT_OF_JOINS = re.findall(r"^cdef \w+ (\w+)\(", (ROOT / "icegil/bridge/joins.pxi").read_text(), re.MULTILINE)
REPLACEMENTS = dict(
    re.findall(r'^    "(\w+)":\s+<uintptr_t> <void\*> (\w+),$', BRIDGE.replace('"\n    "', ""), re.MULTILINE)
)


def called_by_native_code() -> set[str]:
    """The functions whose addresses leave the bridge."""
    names = set(REPLACEMENTS.values())
    names |= set(re.findall(r"^cdef PyObject\* (on_\w+Async)\(", BRIDGE, re.MULTILINE))
    names |= set(re.findall(r"start_thread\((\w+), ", BRIDGE))
    names |= set(re.findall(r"on_exit\((\w+), NULL\)", BRIDGE))
    names |= set(re.findall(r"pthread_atfork\(NULL, NULL, (\w+)\)", BRIDGE))
    names |= set(re.findall(r"Py_AddPendingCall\((\w+), NULL\)", BRIDGE))
    names |= set(re.findall(r"at_end = (\w+)\n", BRIDGE)) - {"NULL"}
    return names


def test_the_functions_are_found() -> None:
    expected = {
        "on_PyGILState_Ensure",
        "on_PyGILState_Release",
        "on_PyEval_RestoreThread",
        "errand_thread",
        "watch_thread",
        "leave_if_unclean",
        "free_thread_state",
        "raise_kept",
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
    anywhere = ROOT / "icegil" / "_bridge_anywhere.pyx"
    assert set((ROOT / "icegil").rglob("*.pyx")) == {FRONT, anywhere}
    assert re.sub(r'"""[^"]*"""|#[^\n]*', "", anywhere.read_text()).split() == ["include", '"_bridge.pyx"']
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


def users_of(*names: str) -> list[str]:
    """The functions of the bridge that call one of these."""
    call = re.compile(rf"\b(?:{'|'.join(names)})\(")
    return sorted(name for name, body in BODIES.items() if call.search(body))


@pytest.mark.parametrize("name", users_of("try_enter", "enter_or_park"))
def test_who_enters_the_gate_leaves_it_on_every_path(name: str) -> None:
    body = BODIES[name]
    if name == "enter_or_park":  # its callers leave
        assert "gate.leave(" not in body
        return
    if name in ("on_PyGILState_Ensure", "ensure_unkept"):  # acquires: the release leaves, for each frame
        after = body[body.index("enter_or_park(") :]
        assert after.splitlines()[1].strip() == "me.frames += 1" and "gate.leave(" not in body
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
    body = BODIES["on_PyGILState_Ensure"]
    assert body.index("if holds_gil():") < min(body.index("ensure_unkept("), body.index("enter_or_park("))
    assert users_of("enter_or_park", "ensure_unkept") == ["ensure_unkept", "on_PyGILState_Ensure"]


def test_who_gives_the_gil_away_has_it() -> None:
    for name, body in BODIES.items():
        for waits in re.finditer(r"give_gil_away\((?!\n)", body):
            assert name == "lock_without_gil" or "holds_gil()" in body[: waits.end() + 80], name
        for locks in re.finditer(r"\block_without_gil\(", body):
            line_before = body[: locks.start()].rpartition("\n")[0]
            rest_of_line = body[locks.end() :].partition("\n")[0]
            assert line_before.endswith("on_PyEval_RestoreThread(state)") or " if holds_gil() else " in rest_of_line, (
                name
            )
    assert [line.strip() for line in BODIES["on_pthread_mutex_lock"].strip().splitlines()] == [
        "cdef int error = pthread_mutex_trylock(mutex)",
        "if error != EBUSY:",
        "return error",
        "return lock_without_gil(mutex, caller()) if holds_gil() else pthread_mutex_lock(mutex)",
    ]


def test_only_who_comes_from_outside_is_parked_before_python_finalizes() -> None:
    """Whoever else there is may hold a lock of Python's that handlers and destructors at the end wait for."""
    assert BODIES["is_too_late"].split("return ")[1].strip() == (
        "gate.state() != State.open and (Py_IsFinalizing() or not Py_IsInitialized()) and not me.is_finalizer()"
    )
    parking = re.compile(r"^ +if ([^\n]+):\n(?: +trace\([^\n]*\n)? +park\(", re.MULTILINE)
    conditions = {name: parking.findall(body) for name, body in BODIES.items() if name != "park"}
    assert {name for name, found in conditions.items() if found} | {"park"} == {*users_of("park"), "park"}
    assert all(len(found) == len(re.findall(r"\bpark\(", BODIES[name])) for name, found in conditions.items())
    parts = re.split(r"^(?=c?def |include )", BRIDGE, flags=re.MULTILINE)
    called_by_python = [part for part in parts if part.startswith("def ") and re.search(r"\bpark\(", part)]
    assert [part.partition("(")[0] for part in called_by_python] == ["def park_this_thread"]  # the second `sys.exit()`
    from_outside = ["not gate.try_enter(me[0])", "me.depth() != 1 and is_too_late(me)"]
    at_pthread_exit = "Py_IsFinalizing() and (this_visitor().depth() != 0 or came_through(own_code[0]))"
    assert conditions.pop("enter_or_park") == from_outside
    assert conditions.pop("on_pthread_exit") == [at_pthread_exit]
    for name, found in conditions.items():
        assert all(re.fullmatch(r"is_too_late\((?:&me\.visitor|this_visitor\(\))\)", each) for each in found), name


def test_a_thread_of_python_does_not_ask_the_gate() -> None:
    assert users_of("try_enter") == [
        "ensure_on_python_thread",  # only to be waited for while the gate is open
        "enter_or_park",
        "free_thread_state",
        "run_inside",
        "take_gil_back",
    ]
    assert "gate.state() == State.open and gate.try_enter(me.visitor)\n" in BODIES["ensure_on_python_thread"]
    of_python = "if me.frames == 0 and PyGILState_GetThisThreadState() != NULL:"
    before, _, after = BODIES["ensure_unkept"].partition(of_python)
    assert "enter_or_park(" not in before
    assert "return ensure_on_python_thread(me)" in after[: after.index("enter_or_park(")]


def test_nobody_waits_for_the_gil_at_a_closed_gate_with_a_lock_of_ice() -> None:
    taking = "PyEval_RestoreThread"
    late = {"on_PyEval_RestoreThread"}
    assert set(users_of(taking)) == {*late, "on_PyGILState_Ensure", "free_thread_state", "take_gil_back"}
    refused = "if (gate.state() == State.sealed and not me.is_finalizer()) or not gate.try_enter(me[0]):\n"
    before, _, after = BODIES["take_gil_back"].partition(refused)
    assert taking not in before and after.lstrip().startswith("return False\n")
    for name in users_of("on_PyEval_RestoreThread"):
        body = BODIES[name]
        if "mutex" not in body:  # a join: there is no lock in hand
            assert name in SUBJECT_OF_JOINS
            continue
        after = body[body.index("take_gil_back(state)") :]
        let_go, taken = after.index("pthread_mutex_unlock(mutex)"), after.index("on_PyEval_RestoreThread(state)")
        assert let_go < taken, name
        if name != "lock_without_gil":  # which begins anew; whoever waits for a condition comes back with its lock
            assert after.index("lock_without_gil(mutex, place)") > taken, name


def test_a_thread_state_is_cleared_while_its_first_callback_counts() -> None:
    # PyGILState_Release would clear it when nothing counts any more, and what calls Ice meanwhile would free it.
    body = BODIES["free_thread_state"]
    clears = ["PyThreadState_Clear(state)", "PyThreadState_DeleteCurrent()"]
    steps = ["try_enter(", "PyEval_RestoreThread(", *clears, "leave("]
    assert [body.count(step) for step in steps] == [1] * len(steps)
    assert sorted(steps, key=body.index) == steps
    assert "PyGILState_" not in body
