"""Counts the instructions of a row's two ways: what stays the same however busy the machine is.

Without the processor's own counters (a virtual machine often has none) it is `valgrind` that counts; it runs the
threads one at a time, so what they wait for each other is not in the figure.
"""

import functools
import re
import shutil
import statistics
import subprocess

from bench import children
from bench.rows import Row, Way

PERF = ["perf", "stat", "-x,", "-e", "instructions:u"]
VALGRIND = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--fair-sched=yes"]
HASH_SEEDS = range(5)


@functools.cache
def counter() -> str:
    """What can count here: `perf`, `valgrind`, or nothing."""
    if shutil.which("perf"):
        done = subprocess.run([*PERF, "true"], capture_output=True, text=True)
        if done.returncode == 0 and "not supported" not in done.stderr and "not counted" not in done.stderr:
            return "perf"
    return "valgrind" if shutil.which("valgrind") else ""


def ratio(row: Row) -> float | None:
    """Instructions, ours / beside, for each of what is measured; None where nothing can count, or says nothing."""
    ways = row.counted_ways or row.ways
    if not counter() or not (row.counted_calls or row.counted_without) or len(ways) != 2:
        return None
    beside, ours = (_each(row, way) for way in ways)
    return ours / beside if beside > 0 else None


def _each(row: Row, way: Way) -> float:
    # The difference of two runs: what the process does besides is in both.
    if row.counted_without:
        whole, less = way.words(0), [*way.words(0), row.counted_without]
        return statistics.median(_count(row, way, whole, seed) - _count(row, way, less, seed) for seed in HASH_SEEDS)
    few, many = (_count(row, way, way.words(row.counted_calls * times)) for times in (1, 3))
    return (many - few) / (2 * row.counted_calls)


def _count(row: Row, way: Way, arguments: list[str], hash_seed: int = 0) -> int:
    command = way.side.command(row.program, arguments)
    tool = PERF if counter() == "perf" else VALGRIND
    environment = children.environment(way.side, hash_seed)
    done = subprocess.run([*tool, *command], capture_output=True, text=True, env=environment, timeout=900)
    found = re.search(r"^(\d+),.*instructions|Collected : (\d+)", done.stderr, re.MULTILINE)
    if done.returncode != 0 or found is None:
        raise children.ChildFailed(f"{way.side.name}: {row.program} under {tool[0]}: {done.stderr.strip()[-300:]}")
    return int(found[1] or found[2])
