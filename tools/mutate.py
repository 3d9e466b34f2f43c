"""Breaks the gate, the timeline and the bridge on purpose, one place at a time, and says which test notices.

Each mutant is made in a copy of the tree. The tests are those that need no build of the extension: the search through
the interleavings, the gate's native tests, compiled plainly, and those that read the sources; for the ownership of
futures a build of the mutant, and the tests that make calls. Exit status 1 if a mutant survives.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

NESTED = "        if (visitor.depth() != 0) {\n            visitor.depth_.store(visitor.depth() + 1"
REFUSE_NESTED = (
    "        if (visitor.depth() != 0 && state() == State::STATE && !visitor.is_finalizer()) {\n"
    "            return refuse();\n        }\n" + NESTED
)

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
        "state != State::open && !outsider.is_finalizer()",
        "state != State::open && !false; (void)outsider.is_finalizer()",
    ),
    "nested entries are refused while draining": (NESTED, REFUSE_NESTED.replace("STATE", "draining")),
    "nested entries are refused when sealed": (NESTED, REFUSE_NESTED.replace("STATE", "sealed")),
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
    "no second chance for late threads": ("        ::pthread_setspecific(last_end.key, &thread);\n", "        ;\n")
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

FRONT = {
    "who may hold a lock of Python's is parked before Python finalizes": (
        "gate.state() != State.open and (Py_IsFinalizing() or not Py_IsInitialized()) and not",
        "gate.state() != State.open and not",
    ),
    "the finalizer is parked as Python finalizes": (
        "(Py_IsFinalizing() or not Py_IsInitialized()) and not me.is_finalizer()",
        "(Py_IsFinalizing() or not Py_IsInitialized())",
    ),
    "who is inside goes on into a Python that is gone": (
        "    if me.depth() != 1 and is_too_late(me):  #",
        "    if False:  #",
    ),
}

CROSSINGS = {
    "leave the gate before the GIL": (
        "        PyEval_SaveThread()\n    schedule(Point.released)\n    me.frames -= 1\n",
        "        gate.leave(me.visitor)\n        PyEval_SaveThread()\n    me.frames -= 1\n    return\n",
    ),
    "park with the GIL": ("    if holds_gil():\n        return PyGILState_Ensure()\n    me =", "    me ="),
    "a callback on a thread of Python is parked at a closed gate": (
        "    if is_too_late(&me.visitor):\n",
        "    if gate.state() != State.open:\n",
    ),
    "a callback on a thread of Python is refused like a native thread": (
        "    if me.frames == 0 and PyGILState_GetThisThreadState() != NULL:\n",
        "    if False:\n",
    ),
    "a thread of Python that comes back is parked at a closed gate": (
        "    if is_too_late(this_visitor()):\n        park(this_visitor())\n    PyEval_RestoreThread(state)\n",
        "    if gate.state() != State.open:\n        park(this_visitor())\n    PyEval_RestoreThread(state)\n",
    ),
    "a thread of Python that comes back is refused like a native thread": (
        "    if is_too_late(this_visitor()):\n        park(this_visitor())\n    PyEval_RestoreThread(state)\n",
        "    enter_or_park(this_visitor())\n    PyEval_RestoreThread(state)\n    gate.leave(this_visitor()[0])\n",
    ),
    "a thread state is cleared when its first callback no longer counts": (
        "    PyThreadState_Clear(state)\n    PyThreadState_DeleteCurrent()",
        "    PyGILState_Release(PyGILState_UNLOCKED)",
    ),
    "a thread state is cleared after the gate is left": (
        "    PyThreadState_Clear(state)\n    PyThreadState_DeleteCurrent()",
        "    gate.leave(me.visitor)\n    PyThreadState_Clear(state)\n    PyThreadState_DeleteCurrent()",
    ),
}

WAITS = {
    "never leave after a wait for the GIL": (
        "    schedule(Point.acquired)\n    gate.leave(me[0])\n",
        "    schedule(Point.acquired)\n",
    ),
    "wait for the GIL with a lock when sealed": (
        "    if (gate.state() == State.sealed and not me.is_finalizer()) or not gate.try_enter(me[0]):\n",
        "    if not gate.try_enter(me[0]):\n",
    ),
    "the finalizer lets go of what it has locked": (
        "(gate.state() == State.sealed and not me.is_finalizer())",
        "gate.state() == State.sealed",
    ),
    "wait for the GIL with a lock that a refused thread has": (
        "        if error == 0:\n            pthread_mutex_unlock(mutex)\n",
        "",
    ),
    "wait for the GIL with a condition's lock in hand": (
        "not take_gil_back(state):\n        pthread_mutex_unlock(mutex)\n",
        "not take_gil_back(state):\n",
    ),
    "come back from a condition without its lock": (
        "        lock_without_gil(mutex, place)  # whoever waits",
        "        pass  # whoever waits",
    ),
    "wait for a lock with the GIL in hand": (
        "    return lock_without_gil(mutex, caller()) if holds_gil() else pthread_mutex_lock(mutex)\n",
        "    return pthread_mutex_lock(mutex)\n",
    ),
}

NATIVE_THREADS = {"drop the re-check": ('    check_gil("an errand\'s work")\n', "")}

LEAVING = {
    "a callback of C++ that needs the GIL": (
        "cdef void on_pthread_exit(\n    void* value,\n) noexcept nogil:",
        "cdef void on_pthread_exit(\n    void* value,\n) noexcept:",
    ),
    "every thread parks at pthread_exit": (
        "if Py_IsFinalizing() and (this_visitor().depth() != 0 or came_through(own_code[0])):",
        "if Py_IsFinalizing():",
    ),
    "a thread of Ice parks at pthread_exit before Python finalizes": (
        "if Py_IsFinalizing() and (this_visitor().depth() != 0 or came_through(own_code[0])):",
        "if this_visitor().depth() != 0 or came_through(own_code[0]):",
    ),
    "a thread that is inside ends at pthread_exit": (
        "(this_visitor().depth() != 0 or came_through(own_code[0]))",
        "came_through(own_code[0])",
    ),
}

OWNERSHIP = {
    "no reference is given back": (
        "            references_given_back += 1\n            Py_DecRef(future)\n",
        "            references_given_back += 1\n",
    ),
    "a reference that is needed is given back": (
        "            references_given_back += 1\n            Py_DecRef(future)\n",
        "            references_given_back += 1\n            Py_DecRef(future)\n            Py_DecRef(future)\n",
    ),
    "an Ice that is mended is robbed": (
        "    if references == 2:\n        if not is_batched(future):\n            is_known = is_right = True\n"
        "    elif references == 3:\n",
        "    if references == 2 or references == 3:\n",
    ),
}

INVOCATIONS = {
    "a call that is over keeps what cancels it": (
        "        if state == DONE and not is_of_3_7:\n            self.context = None\n",
        "",
    ),
}

LOOPS = {
    "what completes while it is wrapped is forgotten": ("        link.queue.put(link)\n", "        pass\n"),
}

DISPATCHES = {
    "a coroutine has the context of another's thread": (
        "self.context.run(self.loop.create_task, self.coroutine)",
        "self.loop.create_task(self.coroutine)",
    ),
}

MUTANTS = {
    "include/icegil/gate.hpp": GATE,
    "include/icegil/thread.hpp": THREAD,
    "include/icegil/trace.hpp": TRACE,
    "icegil/_bridge.pyx": FRONT,
    "icegil/bridge/crossings.pxi": CROSSINGS,
    "icegil/bridge/waits.pxi": WAITS,
    "icegil/bridge/native_threads.pxi": NATIVE_THREADS,
    "icegil/bridge/leaving.pxi": LEAVING,
    "icegil/bridge/ownership.pxi": OWNERSHIP,
    "icegil/bridge/invocations.pxi": INVOCATIONS,
    "icegil/bridge/loops.pxi": LOOPS,
    "icegil/bridge/dispatches.pxi": DISPATCHES,
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
    "nested entries are refused while draining",
    "a thread of Python that comes back is parked at a closed gate",
    "wait for the GIL with a lock when sealed",
}
"""Those that the quick tests kill, one of each kind."""

QUICK_TESTS = ["tests/test_discipline.py", "tests/test_native_interleavings.py"]
TESTS = [*QUICK_TESTS, "tests/test_native_gate.py"]
WITHOUT_BUILD = "discipline or every_order or plain"

BUILT = tuple(f"icegil/bridge/{name}.pxi" for name in ("ownership", "invocations", "loops", "dispatches"))
"""Mutants of these show only in a build, to these tests."""
TESTS_OF_BUILT = [
    "tests/test_ownership.py",
    "tests/test_dispatches.py",
    "tests/test_futures.py::test_what_completes_while_it_is_wrapped_reaches_the_loop",
]


def mutated(path: str, name: str) -> str:
    """The text of a file of the tree with one mistake in it."""
    source = (ROOT / path).read_text()
    before, after = MUTANTS[path][name]
    if before not in source:
        raise SystemExit(f"mutate: {name!r} is not to be found in {path}: mend its entry here")
    return source.replace(before, after, 1)


def build(tree: Path) -> None:
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    subprocess.run(command, cwd=tree, env={**os.environ, "ICEGIL_DEBUG": "1"}, check=True, capture_output=True)


def killer(tree: Path, tests: list[str]) -> str:
    """The first test that fails in this tree; empty if none does."""
    words = ["-x", "-q", "-p", "no:cacheprovider", *([] if tests == TESTS_OF_BUILT else ["-k", WITHOUT_BUILD]), *tests]
    command = [sys.executable, "-m", "pytest", *words]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(command, cwd=tree, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
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
        for part in ("include", "icegil", "tests", "tools", "docs"):
            shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
        for part in ("pyproject.toml", "setup.py", "README.md"):
            shutil.copy(ROOT / part, tree)
        found = killer(tree, tests)
        if not found and any(path in BUILT for path, _ in chosen):
            build(tree)
            found = killer(tree, TESTS_OF_BUILT)
        if found:
            raise SystemExit(f"mutate: without any mutant, {found} fails already")
        for path, name in chosen:
            (tree / path).write_text(mutated(path, name))
            if path in BUILT:
                build(tree)
            found = killer(tree, TESTS_OF_BUILT if path in BUILT else tests)
            shutil.copy(ROOT / path, tree / path)
            survived += not found
            print(f"{name}: {'killed by ' + found if found else 'SURVIVED'}", flush=True)
    print(f"{len(chosen) - survived} of {len(chosen)} mutants killed in {time.monotonic() - begun:.0f} s")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
