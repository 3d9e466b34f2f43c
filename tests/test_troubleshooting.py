"""docs/troubleshooting.md: who searches it for a message finds it, and each message on it is printed by somebody."""

import ast
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import Ice
import pytest
from children import ROOT
from terminal import in_pipe
from test_house import FACADE, MODULES

import icegil

PAGE = Path(ROOT, "docs/troubleshooting.md").read_text(encoding="utf-8")
STOCK = Path(__file__).parent / "stock_messages.txt"
STARTUP = Path(ROOT, "icegil_startup.py")
ANY = "…"
"""What stands on the page for what is different each time."""

ERRORS = re.compile(r"^(?:\w+Error|\w+Warning): ")
LOG_PREFIX = re.compile(r"^(?:-!|!!) … (?:error|warning): ")
"""What Ice's logger writes before a message, its mark, the time and the level."""


def listed() -> list[str]:
    """The messages of the page: the lines of its blocks, and the first column of the tables of what icegil writes."""
    lines = [line for block in re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    ours = PAGE.partition("\n## Lines that icegil writes\n")[2]
    cells = re.findall(r"^\| (`[^|]+`) \|", ours, re.MULTILINE)
    return lines + [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]


MESSAGES = listed()


def as_pattern(message: str) -> re.Pattern[str]:
    told = LOG_PREFIX.sub("", ERRORS.sub("", message))
    return re.compile(".*".join(map(re.escape, told.split(ANY))), re.DOTALL)


PATTERNS = [as_pattern(message) for message in MESSAGES]


def is_found(message: str) -> bool:
    return any(pattern.search(message) for pattern in PATTERNS)


# --- What stands on the page is printed by somebody -----------------------------------------------------------------


def files() -> Iterator[Path]:
    """Whatever may print: the interpreter, the libraries of a program that uses Ice, modules of Python's, icegil."""
    Ice.initialize().destroy()
    mapped = re.findall(r" (/\S+)$", Path("/proc/self/maps").read_text(), re.MULTILINE)
    yield from sorted({Path(name).resolve() for name in (*mapped, sys.executable) if Path(name).is_file()})
    for module in ("asyncio", "threading", "logging", "warnings"):
        found = Path(sys.modules[module].__file__ or "")
        yield from found.parent.glob("*.py") if found.name == "__init__.py" else [found]
    for package in (Ice, icegil):
        found = Path(package.__file__ or "").parent.rglob("*.p*")
        yield from (path for path in found if path.suffix in (".py", ".pxi") and path.parent.name != "scenarios")
    yield from Path(ROOT, "include").rglob("*.hpp")
    yield STARTUP


@pytest.fixture(scope="module")
def printed() -> bytes:
    # A message that a source breaks in two stands there as two strings.
    return re.sub(rb'"\s*\n\s*f?"', b"", b"\n".join(path.read_bytes() for path in files()))


OF_OTHER_PAIRS = {
    "-! … warning: dispatch exception: unknown c++ exception": "Ice 3.7",
    "-! … warning: failed to dispatch … to … over …:": "Ice 3.8",
    "-! … warning: unknown exception raised by AMI callback": "Ice 3.7",
    "AttributeError: 'InvocationFuture' object has no attribute '_condition'": "Ice 3.7",
    "Fatal Python error: get_modules_dict: interpreter has no modules dictionary": "CPython 3.13 and later",
    "Fatal Python error: gilstate_tss_set: failed to set current tstate (TSS)": "CPython 3.12 to 3.14",
    "Fatal Python error: gilstate_tss_clear: failed to clear current tstate (TSS)": "CPython 3.12 to 3.14",
}
"""What is not in each version of Ice or of Python, and in which it is."""

IS_HERE = {
    f"Ice {'.'.join(Ice.stringVersion().split('.')[:2])}": True,
    "CPython 3.13 and later": sys.version_info >= (3, 13),
    "CPython 3.12 to 3.14": (3, 12) <= sys.version_info < (3, 15),
}

BY_THE_SHELL = {"Segmentation fault (core dumped)", "Aborted (core dumped)"}


def is_of_this_pair(message: str) -> bool:
    version = OF_OTHER_PAIRS.get(message)
    return version is None or IS_HERE.get(version, False)


def pieces(message: str) -> list[str]:
    """What is fixed in it: a format has a hole where the page has one, and often at a quote, a colon or a plural."""
    fixed = LOG_PREFIX.sub("", message)
    return [
        piece for each in re.split(rf"{ANY}|: |['()]|communicators? ", fixed) if len(piece := each.strip(" .;,")) > 3
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/maps")
@pytest.mark.parametrize("message", sorted(set(MESSAGES) - BY_THE_SHELL))
def test_a_message_on_the_page_is_one_that_is_printed(message: str, printed: bytes) -> None:
    if not is_of_this_pair(message):
        pytest.skip(f"a message of {OF_OTHER_PAIRS[message]}")
    assert pieces(message), "there is nothing to search for"
    assert [piece for piece in pieces(message) if piece.encode() not in printed] == []


def test_no_message_is_listed_twice() -> None:
    assert sorted(MESSAGES) == sorted(set(MESSAGES))


def test_what_nobody_prints_is_not_found() -> None:
    assert not is_found("RuntimeError: nobody prints this")
    assert not is_found("")


# --- What is printed stands on the page -----------------------------------------------------------------------------

QUICK = ("never_destroyed", "daemon_threads_return", "del_calls_proxy", "thread_local_calls_ice", "fork_with_traffic")
"""Scenarios that do not hang without icegil."""


OWN = "RuntimeError: the program failed"
"""What a scenario raises itself, as it is meant to."""


def told(report: Path) -> list[str]:
    """The messages of the plain runs in a report of `icegil torture --json`."""
    runs = [run for each in json.loads(report.read_text())["scenarios"] for run in each["plain"]["runs"]]
    return [run["message"] for run in runs if run["message"] not in ("", OWN)]


def test_each_message_of_a_plain_torture_is_on_the_page(tmp_path: Path) -> None:
    """Of some scenarios, or with `STOCK_REPORT=FILE` of the campaign that `icegil torture --stock --json FILE` made."""
    report = Path(os.environ.get("STOCK_REPORT", tmp_path / "report.json"))
    if "STOCK_REPORT" not in os.environ:
        seen = in_pipe("torture", "--stock", "-n", "3", f"--json={report}", *QUICK)
        assert seen.status == 0, seen.stderr
    messages = told(report)
    assert messages, "every program ended well without icegil: nothing was shown"
    assert sorted({message for message in messages if not is_found(message)}) == []


@pytest.mark.parametrize("message", [line for line in STOCK.read_text().splitlines() if not line.startswith("#")])
def test_each_message_that_was_seen_on_some_pair_is_on_the_page(message: str) -> None:
    assert is_found(message)


# --- What icegil writes ---------------------------------------------------------------------------------------------


def text_of(node: ast.expr) -> str:
    """A message as the page would have it; empty if the source does not have its words in this place."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%[sdgr]", ANY, node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(value) for value in node.values)
    return ANY if isinstance(node, ast.FormattedValue) else ""


SAYING = re.compile(r"log\.|(\w+\.)?(fail|UsageError|warn|exit|_say)$")


def written(source: str) -> Iterator[str]:
    """The first argument of each line of the log, and of each error that is raised with words."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise):
            call = node.exc
        elif isinstance(node, ast.Call) and SAYING.match(ast.unparse(node.func)):
            call = node
        else:
            continue
        if isinstance(call, ast.Call) and call.args and " " in (text := text_of(call.args[0])):
            yield text


SOURCES = [*(MODULES[name] for name in FACADE), STARTUP]
WRITTEN = sorted({text for path in SOURCES for text in written(path.read_text())})


def test_what_is_written_is_found_in_a_source() -> None:
    source = """
log.warning("no timeline: %s", why)
raise TypeError(f"{name} must be a string, not {kind}")
raise NotImplementedError
raise AttributeError(name)
def f():
    pytest.fail("it is stuck")
"""
    assert sorted(written(source)) == ["it is stuck", "no timeline: …", "… must be a string, not …"]


@pytest.mark.parametrize("text", WRITTEN)
def test_each_line_of_icegil_is_on_the_page(text: str) -> None:
    if text.startswith("module 'icegil' has no attribute"):
        pytest.skip("Python's own words, for a name that is not there")
    # What fills a hole in a source may be given in words on the page, and the other way round.
    assert is_found(text) or any(as_pattern(text).search(ERRORS.sub("", message)) for message in MESSAGES)
