"""Breaks the gate and the bridge on purpose, one place at a time, and says which test notices.

Each mutant is made in a copy of the tree. The tests are those that need no build of the extension: the native tests of
the gate, compiled plainly, and those that read the sources. Exit status 1 if a mutant survives.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GATE, BRIDGE, THREAD = "include/icegil/gate.hpp", "icegil/_bridge.pyx", "include/icegil/thread.hpp"


@dataclass(frozen=True)
class Mutant:
    """One change that makes the code wrong."""

    name: str
    path: str
    before: str
    after: str


MUTANTS = (
    Mutant("drop the count", GATE, "word_.fetch_add(1, std::memory_order_seq_cst)", "word_.load()"),
    Mutant("drop the look at what was there", GATE, "if (is_refused(state_of(before), visitor)) {", "if (false) {"),
    Mutant(
        "a refused thread stays counted",
        GATE,
        "            leave_word();\n            refused_",
        "            refused_",
    ),
    Mutant("drop the wait", GATE, "emptier_.wait_until(lock, deadline,", "emptier_.wait_until(lock, Clock::now(),"),
    Mutant("drop the wake-up", GATE, "            emptier_.notify_all();\n", ""),
    Mutant(
        "wake before the decrement",
        GATE,
        "const Word before = word_.fetch_sub(1, std::memory_order_seq_cst);",
        "emptier_.notify_all();\n        const Word before = word_.fetch_sub(1, std::memory_order_seq_cst);\n"
        "        return;",
    ),
    Mutant("the finalizer waits for itself", GATE, "- (finalizer.depth() != 0 ? 1 : 0)", ""),
    Mutant(
        "the finalizer is refused",
        GATE,
        "state != State::open && !outsider.is_finalizer_",
        "state != State::open && !false; (void)outsider.is_finalizer_",
    ),
    Mutant(
        "nested entries are refused while draining",
        GATE,
        "if (state() == State::sealed && !visitor",
        "if (state() != State::open && !visitor",
    ),
    Mutant(
        "nested entries pass when sealed", GATE, "if (state() == State::sealed && !visitor", "if (false && !visitor"
    ),
    Mutant("each nested leave counts out", GATE, "        if (depth == 1) {\n", "        if (true) {\n"),
    Mutant(
        "leaving without an entry counts out", GATE, "        if (depth == 0) {\n            return;\n        }\n", ""
    ),
    Mutant(
        "a parked thread stays counted",
        GATE,
        "        leave_for_good(visitor);\n        // pause()",
        "        // pause()",
    ),
    Mutant(
        "a thread that ends inside stays counted",
        GATE,
        "        leave_for_good(visitor);\n        const std::lock",
        "        const std::lock",
    ),
    Mutant("the gate opens again by itself", GATE, "while (state_of(word) < to &&", "while (state_of(word) != to &&"),
    Mutant("the child keeps the parent's mutex", GATE, "        new (&mutex_) std::mutex;\n", ""),
    Mutant("the child keeps the parent's count", GATE, "word_.store(inside, std::memory_order_seq_cst);", ""),
    Mutant("no second chance for late threads", THREAD, "    pthread_setspecific(last_end, &thread);\n", ""),
    Mutant(
        "leave the gate before the GIL",
        BRIDGE,
        "        PyEval_SaveThread()\n    me.frames -= 1\n",
        "        gate.leave(me.visitor)\n        PyEval_SaveThread()\n    me.frames -= 1\n    return\n",
    ),
    Mutant(
        "never leave after a blocking call",
        BRIDGE,
        "    PyEval_RestoreThread(state)\n    gate.leave(me[0])\n",
        "    PyEval_RestoreThread(state)\n",
    ),
    Mutant("drop the re-check", BRIDGE, '    check_gil("an errand\'s work")\n', ""),
    Mutant(
        "park with the GIL", BRIDGE, "    if holds_gil():\n        return PyGILState_Ensure()\n    me =", "    me ="
    ),
    Mutant(
        "a callback of C++ that needs the GIL",
        BRIDGE,
        "cdef void exit_thread(\n    void* value,\n) noexcept nogil:",
        "cdef void exit_thread(\n    void* value,\n) noexcept:",
    ),
)

TESTS = ["tests/test_discipline.py", "tests/test_native_gate.py"]


def verdict(mutant: Mutant, tree: Path) -> str:
    """The test that notices; empty if none does."""
    source = (ROOT / mutant.path).read_text()
    if source.count(mutant.before) < 1:
        raise SystemExit(f"mutate: {mutant.name!r} is not to be found in {mutant.path}: mend its entry here")
    (tree / mutant.path).write_text(source.replace(mutant.before, mutant.after, 1))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        "discipline or plain",
        *TESTS,
    ]
    done = subprocess.run(command, cwd=tree, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    (tree / mutant.path).write_text(source)
    found = re.search(r"^(?:FAILED|ERROR) \S+::(.+?)(?: - |$)", done.stdout, re.MULTILINE)
    return found[1] if found else "" if done.returncode == 0 else "it does not compile"


def main() -> int:
    chosen = [mutant for mutant in MUTANTS if len(sys.argv) < 2 or any(word in mutant.name for word in sys.argv[1:])]
    survived = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in ("include", "icegil", "tests"):
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", tree)
        for mutant in chosen:
            killer = verdict(mutant, tree)
            survived += not killer
            print(f"{mutant.name}: {'killed by ' + killer if killer else 'SURVIVED'}", flush=True)
    print(f"{len(chosen) - survived} of {len(chosen)} mutants killed")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
