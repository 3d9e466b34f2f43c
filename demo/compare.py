"""Runs demo/app.py many times, plain and guarded by turns, and shows how the two end."""

from __future__ import annotations

import argparse
import re
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

APP = Path(__file__).with_name("app.py")
HANG_SECONDS = 30.0

# The first line that names the trouble says more than the last, which is often the end of a list of modules.
TELLING = re.compile(r"^(Fatal Python error|FATAL|terminate called|\w+(\.\w+)*(Error|Exception)\b)|\berror: ")
# Different in every run, and so in the way of counting which endings are the same.
ADDRESS = re.compile(r"\b0x[0-9a-f]+")
LOG_PREFIX = re.compile(r"^(-- |!! |\S+: )?\d\d/\d\d/\d\d \d\d:\d\d:\d\d\.\d+ ")


@dataclass(frozen=True)
class Ending:
    """How one run ended."""

    status: int | None  # None: it hung
    printed: bool
    stderr: str
    seconds: float

    @property
    def clean(self) -> bool:
        return self.status == 0 and self.printed and not self.stderr.strip()

    @property
    def status_text(self) -> str:
        if self.status is None:
            return f"hung for {HANG_SECONDS:.0f} s"
        return f"exit status {self.status}" if self.status >= 0 else f"killed by {signal.Signals(-self.status).name}"

    @property
    def telling_line(self) -> str:
        lines = [line for line in self.stderr.splitlines() if line.strip()]
        line = next(filter(TELLING.search, lines), lines[-1] if lines else "")
        return ADDRESS.sub("0x...", LOG_PREFIX.sub("", line.strip()))


def run(*command: str) -> Ending:
    began = time.perf_counter()
    try:
        done = subprocess.run([sys.executable, *command], capture_output=True, timeout=HANG_SECONDS, check=False)
    except subprocess.TimeoutExpired as hung:
        return Ending(None, bool(hung.stdout), (hung.stderr or b"").decode(errors="replace"), HANG_SECONDS)
    seconds = time.perf_counter() - began
    return Ending(done.returncode, bool(done.stdout), done.stderr.decode(errors="replace"), seconds)


def counted(texts: Iterable[str]) -> str:
    """The different texts, the most frequent first, each with the number of times if there are several."""
    counts = Counter(texts).most_common()
    return "\n".join(text if len(counts) == 1 else f"{count} x {text}" for text, count in counts)


def column(endings: list[Ending]) -> list[Text]:
    clean = sum(ending.clean for ending in endings)
    style = "green" if clean == len(endings) else "red"
    return [
        Text(f"{clean} of {len(endings)}", style=f"bold {style}"),
        Text(counted(ending.status_text for ending in endings), style=style),
        Text(counted(ending.telling_line or "(nothing)" for ending in endings), style=style),
        Text(f"{statistics.median(ending.seconds for ending in endings):.2f} s"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", "--runs", type=int, default=10, metavar="N", help="runs of each kind (default: 10)")
    runs = parser.parse_args().runs

    # Crashing is what the plain program is expected to do: no core files for it.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    console = Console()
    app = str(APP.relative_to(Path.cwd()) if APP.is_relative_to(Path.cwd()) else APP)
    commands = {"plain": [app], "guarded": ["-m", "icegil", "run", app]}
    endings: dict[str, list[Ending]] = {name: [] for name in commands}
    for _ in track(range(runs), description=f"Running {app}, plain and guarded", console=console, transient=True):
        for name, command in commands.items():
            endings[name].append(run(*command))

    table = Table(box=box.ROUNDED, title=f"How {app} ends, {runs} runs each", show_lines=True)
    table.add_column()
    for name, command in commands.items():
        table.add_column(Text(f"{name}\npython {' '.join(command)}"), ratio=1)
    rows = ["ended cleanly", "exit", "on stderr", "time (median)"]
    for row in zip(rows, *(column(endings[name]) for name in commands), strict=True):
        table.add_row(*row)
    console.print(table)
    return 0 if all(ending.clean for ending in endings["guarded"]) else 1


if __name__ == "__main__":
    sys.exit(main())
