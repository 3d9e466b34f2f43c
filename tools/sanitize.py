"""Runs icegil under the sanitizers of GCC: the headers' native tests, then the whole extension with Ice.

The extension is compiled with -fsanitize=address,undefined into build/sanitized, beside the usual one, and runs the
workload and all torture scenarios with leak detection. Every report that any process writes fails the run, whatever its
exit status. Before that, a copy of the tree with mistakes made on purpose shows that reports are written, and read.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "build" / "sanitized"
SUPPRESSED = ROOT / "tests" / "sanitize" / "leaks.supp"
WORKLOAD = ROOT / "tests" / "sanitize" / "workload.py"
ERRANDS, LEAVING = "icegil/bridge/native_threads.pxi", "icegil/bridge/leaving.pxi"
TRACE = "include/icegil/trace.hpp"

SCENARIOS = sorted((ROOT / "icegil/commands/torture/scenarios").glob("[!_]*.py"))
LEAKING = "those that leave daemon threads to Python, leaks aside"

GUARDED = [sys.executable, "-m", "icegil", "run"]


@dataclass(frozen=True)
class Planted:
    """A mistake, a program that makes it, and what is then to be read in a report or on stderr."""

    name: str
    path: str
    before: str
    after: str
    program: tuple[str, ...]
    report: str


SNIPPET = "from icegil.commands.torture.scenarios._echo import communicator\nimport icegil\n"
TRACED = "icegil.trace.CAPACITY = 2\nicegil.trace.start()\nfor _ in range(9): communicator().destroy()\n"
PLANTED = (
    Planted(
        "a reference that is never dropped",
        ERRANDS,
        "    Py_DECREF(<tuple> <PyObject*> errand)\n",
        "",
        (str(WORKLOAD),),
        "objects left behind",
    ),
    Planted(
        "native memory that nobody reaches any more",
        TRACE,
        "return texts_.emplace(text).first->c_str();",
        "return (new std::string(text))->c_str();",
        ("-c", SNIPPET + TRACED),
        "LeakSanitizer: detected memory leaks",
    ),
    Planted(
        "a read past the end",
        TRACE,
        "const Slot& slot = slots_[number & mask_];",
        "auto& slot = slots_[number];",
        ("-c", SNIPPET + TRACED + "icegil.trace.save('/dev/null')"),
        "AddressSanitizer: heap-buffer-overflow",
    ),
    Planted(
        "a number too large",
        LEAVING,
        "min(timeout, 1e9) * 1e9",
        "min(timeout, 9.22337203e9) * 1e9",
        ("--drain-timeout", "1e10", "-c", "pass"),
        "runtime error: signed integer overflow",
    ),
)


def library(name: str) -> str:
    """The full path of one of the compiler's own libraries."""
    try:
        path = subprocess.run(["g++", f"-print-file-name={name}"], capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        raise SystemExit("sanitize: g++ is not installed. On Debian: apt-get install g++") from None
    if "/" not in path:
        raise SystemExit(
            f"sanitize: g++ has no {name}. On Debian it comes with libgcc-12-dev and libasan8, as g++ does"
        )
    return os.path.realpath(path)


def say(text: str) -> None:
    print(f"sanitize: {text}", flush=True)


def build(tree: Path, place: Path) -> Path:
    """Builds the sanitized icegil of a tree; the folder to import it from."""
    environment = {**os.environ, "ICEGIL_SANITIZE": "1", "CC": "gcc", "CXX": "g++"}
    command = [sys.executable, "setup.py", "-q", "build", "--build-base", str(place), "--build-lib", str(place / "lib")]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"sanitize: {tree} was not built\n{done.stderr[-3000:]}")
    return place / "lib"


class Runs:
    """Programs that use one sanitized icegil, and the reports of all their processes."""

    def __init__(self, place: Path, logs: Path) -> None:
        self._place = place
        self._logs = logs
        at = f"log_path={logs}/report:log_exe_name=1"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ICEGIL_")},
            # libstdc++ with it, or libasan does not find what throws exceptions, and stops at the first.
            "LD_PRELOAD": f"{library('libasan.so')} {library('libstdc++.so')}",
            "PYTHONPATH": str(place),
            "PYTHONMALLOC": "malloc",  # CPython's own allocator would hide the objects in its arenas
            "ASAN_OPTIONS": f"{at}:detect_leaks=1:detect_stack_use_after_return=1",
            "UBSAN_OPTIONS": f"{at}:print_stacktrace=1",
            "LSAN_OPTIONS": f"suppressions={SUPPRESSED}:print_suppressions=0",
        }

    def run(self, *command: str, finds_leaks: bool = True) -> int:
        """Runs a command in the place where `icegil` is this one; its exit status."""
        options = self._environment["ASAN_OPTIONS"].replace("detect_leaks=1", f"detect_leaks={int(finds_leaks)}")
        return subprocess.run(command, cwd=self._place, env={**self._environment, "ASAN_OPTIONS": options}).returncode

    def stderr(self, *command: str) -> str:
        """What such a command writes on stderr."""
        return subprocess.run(command, cwd=self._place, env=self._environment, capture_output=True, text=True).stderr

    def reports(self) -> str:
        """What all processes have reported since this was last asked."""
        files = sorted(self._logs.iterdir())
        text = "\n".join(f"--- {file.name}\n{file.read_text(errors='replace')}" for file in files)
        for file in files:
            file.unlink()
        return text


def planted(folder: Path) -> int:
    """How many of the mistakes made on purpose go unnoticed."""
    tree = folder / "planted"
    tree.mkdir()
    for name in ("include", "icegil"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    for each in PLANTED:
        file = tree / each.path
        source = file.read_text()
        if source.count(each.before) != 1:
            raise SystemExit(f"sanitize: {each.name!r} is not to be found in {each.path}")
        file.write_text(source.replace(each.before, each.after))
    runs = Runs(build(tree, folder / "built"), reports_in(folder / "planted-reports"))
    unnoticed = 0
    for each in PLANTED:
        reports = runs.stderr(*GUARDED, *each.program) + runs.reports()
        is_noticed = each.report in reports
        unnoticed += not is_noticed
        say(f"planted: {each.name}: {each.report if is_noticed else f'UNNOTICED {reports[:2000]}'}")
    return unnoticed


def reports_in(folder: Path) -> Path:
    folder.mkdir()
    return folder


def whole_extension(runs: Runs) -> int:
    """How many of the steps fail."""
    torture = ["-m", "icegil", "torture", "-n", "1", "--guarded", "-j", str(len(os.sched_getaffinity(0)) + 1)]
    # A daemon thread that Python stops never lets go of what its frames have: Python's leak, with icegil or without.
    leaking = [path.stem for path in SCENARIOS if re.search("daemon=True|from _terminal", path.read_text())]
    others = [path.stem for path in SCENARIOS if path.stem not in leaking]
    steps = {
        "is loaded from its place": ["-c", f"import icegil._bridge as b; assert b.__file__.startswith({str(PLACE)!r})"],
        **{f"without {each.name}": ["-m", "icegil", "run", *each.program] for each in PLANTED},
        "the scenarios of the torture": [*torture, *others],
        LEAKING: [*torture, *leaking],
    }
    failed = 0
    for name, words in steps.items():
        begun = time.monotonic()
        status = runs.run(sys.executable, *words, finds_leaks=name != LEAKING)
        reports = runs.reports()
        failed += bool(status or reports)
        ending = f"status {status}, {len(re.findall(r'^--- ', reports, re.MULTILINE))} reports"
        say(f"{name}: {ending}, {time.monotonic() - begun:.0f} s" + (f"\n{reports[:20000]}" if reports else ""))
    return failed


def headers() -> int:
    """How many of the native test runs fail."""
    failed = 0
    # Of the redirect, what runs beside other threads, and what writes: each way to link is for `make test`.
    redirect = "not aarch64 and (storm or pages_are or a_page or page_of or mapped or somebody_else or objects)"
    for words, sanitizer in (
        (["tests/test_native_gate.py", "tests/test_native_parts.py", "-k", "not plain"], "plain"),
        (["tests/test_native_redirect.py", "-k", f"{redirect} and not sanitized"], "thread"),
        (
            ["tests/test_native_redirect.py", "-k", f"({redirect} and not native-plain) or native-sanitized"],
            "address-undefined",
        ),
    ):
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", *words]
        failed += subprocess.run(command, cwd=ROOT, env={**os.environ, "SANITIZER": sanitizer}).returncode != 0
    return failed


def main() -> int:
    begun = time.monotonic()
    library("libasan.so")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        noticing = pool.submit(planted, Path(folder))
        place = build(ROOT, PLACE)
        unnoticed = noticing.result()
        failed = whole_extension(Runs(place, reports_in(Path(folder) / "reports")))
    failed += headers()
    say(f"{unnoticed} mistakes unnoticed, {failed} steps failed, {time.monotonic() - begun:.0f} s")
    return 1 if unnoticed or failed else 0


if __name__ == "__main__":
    sys.exit(main())
