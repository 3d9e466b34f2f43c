"""Breaks the gate, the timeline and the bridge on purpose, one place at a time, and says which test notices.

Each mutant is made in a copy of the tree. The tests are those that need no build of the extension: the search through
the interleavings, the gate's native tests, compiled plainly, and those that read the sources. Exit status 1 if a mutant
survives.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

GATE = {
    "drop the count": ("word_.fetch_add(1, std::memory_order_seq_cst)", "word_.load()"),
    "drop the look at what was there": ("if (is_refused(state_of(before), visitor)) {", "if (false) {"),
    "a refused thread stays counted": (
        "            leave_word();\n            return refuse",
        "            return refuse",
    ),
    "drop the wait": (
        "emptier_.wait_until(lock, deadline,",
        "emptier_.wait_until(lock, std::min(deadline, Clock::now()),",
    ),
    "count without wait": ("        emptier_.wait_until(", "        if (false) emptier_.wait_until("),
    "drop the wake-up": ("            emptier_.notify_all();\n", ""),
    "wake without the mutex": ("            mutex_.lock();\n            mutex_.unlock();\n", ""),
    "wake before the decrement": (
        "        const Word before = word_.fetch_sub(1, std::memory_order_seq_cst);\n",
        "        const Word before = word_.load();\n"
        "        if (state_of(before) != State::open) emptier_.notify_all();\n"
        "        word_.fetch_sub(1);\n"
        "        return;\n",
    ),
    "close without an exchange": (
        "        while (state_of(word) < to &&",
        "        word_.store((static_cast<Word>(to) << state_shift) | inside_of(word));\n"
        "        while (state_of(word_.load()) < to &&",
    ),
    "the finalizer waits for itself": ("(finalizer.depth() != 0 ? 1 : 0)", "(finalizer.depth() != 0 ? 0 : 0)"),
    "the finalizer is refused": (
        "state != State::open && !outsider.is_finalizer_",
        "state != State::open && !false; (void)outsider.is_finalizer_",
    ),
    "nested entries are refused while draining": (
        "if (state() == State::sealed && !visitor",
        "if (state() != State::open && !visitor",
    ),
    "nested entries pass when sealed": ("if (state() == State::sealed && !visitor", "if (false && !visitor"),
    "each nested leave counts out": ("        if (depth == 1) {\n", "        if (true) {\n"),
    "leaving without an entry counts out": ("        if (depth == 0) {\n            return;\n        }\n", ""),
    "a parked thread stays counted": (
        "        leave_for_good(visitor);\n        // pause()",
        "        (void)visitor;\n        // pause()",
    ),
    "a thread that ends inside stays counted": (
        "        leave_for_good(visitor);\n        const std::lock",
        "        const std::lock",
    ),
    "the gate opens again by itself": ("while (state_of(word) < to &&", "while (state_of(word) != to &&"),
    "the child keeps the parent's mutex": ("        new (&mutex_) std::mutex;\n", ""),
    "the child keeps the parent's count": ("word_.store(inside, std::memory_order_seq_cst);", ""),
}

THREAD = {
    "no second chance for late threads": ("    pthread_setspecific(last_end, &thread);\n", "    (void)last_end;\n")
}

TRACE = {
    "two threads write one event": ("if (there >= number || ", "if ("),
    "an event is taken before it is whole": (
        "                                                                    std::memory_order_relaxed)) {\n"
        "            return;\n        }\n",
        "                                                                    std::memory_order_relaxed)) {\n"
        "            return;\n        }\n        slot.number.store(number);\n",
    ),
    "an event is taken while it changes": (
        "if (slot.number.load(std::memory_order_relaxed) == number) {",
        "if (true) {",
    ),
}

CROSSINGS = {
    "leave the gate before the GIL": (
        "        PyEval_SaveThread()\n    schedule(Point.released)\n    me.frames -= 1\n",
        "        gate.leave(me.visitor)\n        PyEval_SaveThread()\n    me.frames -= 1\n    return\n",
    ),
    "never leave after a blocking call": (
        "    PyEval_RestoreThread(state)\n    schedule(Point.acquired)\n    gate.leave(me[0])\n",
        "    PyEval_RestoreThread(state)\n    schedule(Point.acquired)\n",
    ),
    "park with the GIL": ("    if holds_gil():\n        return PyGILState_Ensure()\n    me =", "    me ="),
}

NATIVE_THREADS = {"drop the re-check": ('    check_gil("an errand\'s work")\n', "")}

LEAVING = {
    "a callback of C++ that needs the GIL": (
        "cdef void on_pthread_exit(\n    void* value,\n) noexcept nogil:",
        "cdef void on_pthread_exit(\n    void* value,\n) noexcept:",
    ),
}

MUTANTS = {
    "include/icegil/gate.hpp": GATE,
    "include/icegil/thread.hpp": THREAD,
    "include/icegil/trace.hpp": TRACE,
    "icegil/bridge/crossings.pxi": CROSSINGS,
    "icegil/bridge/native_threads.pxi": NATIVE_THREADS,
    "icegil/bridge/leaving.pxi": LEAVING,
}
"""File, name of the mutant, and the text of the file that it replaces with which other."""

SHORT = {
    "drop the count",
    "drop the look at what was there",
    "count without wait",
    "wake before the decrement",
    "wake without the mutex",
    "the finalizer waits for itself",
    "two threads write one event",
    "leave the gate before the GIL",
    "drop the re-check",
    "park with the GIL",
}
"""Those that the quick tests kill, one of each kind."""

QUICK_TESTS = ["tests/test_discipline.py", "tests/test_native_interleavings.py"]
TESTS = [*QUICK_TESTS, "tests/test_native_gate.py"]
WITHOUT_BUILD = "discipline or every_order or plain"


def mutated(path: str, name: str) -> str:
    """The text of a file of the tree with one mistake in it."""
    source = (ROOT / path).read_text()
    before, after = MUTANTS[path][name]
    if before not in source:
        raise SystemExit(f"mutate: {name!r} is not to be found in {path}: mend its entry here")
    return source.replace(before, after, 1)


def killer(tree: Path, tests: list[str]) -> str:
    """The first test that fails in this tree; empty if none does."""
    words = ["-x", "-q", "-p", "no:cacheprovider", "-k", WITHOUT_BUILD, *tests]
    command = [sys.executable, "-m", "pytest", *words]
    done = subprocess.run(command, cwd=tree, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    found = re.search(r"^FAILED \S+::(.+?)(?: - |$)", done.stdout, re.MULTILINE)
    if not found and done.returncode != 0:  # it does not compile, say: no test had anything to notice
        raise SystemExit(f"mutate: the tests could not be run:\n{done.stdout[-3000:]}{done.stderr}")
    return found[1] if found else ""


def main() -> int:
    parser = argparse.ArgumentParser(description="Breaks the gate and the bridge, and says which test notices.")
    parser.add_argument(
        "words", nargs="*", metavar="WORD", help="mutants with one of these in their names; all if none"
    )
    parser.add_argument("--short", action="store_true", help="some, by the quick tests alone")
    asked = parser.parse_args()
    chosen = [
        (path, name)
        for path, names in MUTANTS.items()
        for name in names
        if (name in SHORT or not asked.short) and (not asked.words or any(word in name for word in asked.words))
    ]
    tests = QUICK_TESTS if asked.short else TESTS
    survived = 0
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for part in ("include", "icegil", "tests", "tools"):
            shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", tree)
        if found := killer(tree, tests):
            raise SystemExit(f"mutate: without any mutant, {found} fails already")
        for path, name in chosen:
            (tree / path).write_text(mutated(path, name))
            found = killer(tree, tests)
            shutil.copy(ROOT / path, tree / path)
            survived += not found
            print(f"{name}: {'killed by ' + found if found else 'SURVIVED'}", flush=True)
    print(f"{len(chosen) - survived} of {len(chosen)} mutants killed in {time.monotonic() - begun:.0f} s")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
