"""Runs the tests and the torture on every supported pair of CPython and Ice, and writes the table of the README.

Each pair gets a copy of the tree of its own, under build/matrix. What needs Debian's sid gets it in a root of its own,
made by debootstrap; that needs root, about 2 minutes and 1.5 GB. What was made is used again. A pair that cannot be had
here is skipped, with the reason; one that can be had and falls short makes the exit status 1.
"""

from __future__ import annotations

import argparse
import datetime
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import roots
from roots import Skipped, inside

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "matrix"
README = ROOT / "README.md"
MARKS = ("<!-- matrix: made by `make matrix` -->\n", "<!-- end of matrix -->\n")

SID = Path(os.environ.get("ICEGIL_SID", FOLDER / "sid"))
ARM = Path(os.environ.get("ICEGIL_ARM", FOLDER / "sid-arm64"))
SID_PACKAGES = [
    "g++",
    "gdb",
    "openssl",
    "cython3",
    "python3",
    "python3-dev",
    "python3-dbg",
    "python3-setuptools",
    "python3-pytest",
    "python3-pytest-asyncio",
    "python3-pytest-timeout",
    "python3-pytest-xdist",
    "python3-memray",
    "python3-hypothesis",
    "python3-rich",
    "python3-uvloop",
    "python3-zeroc-ice",
]
TO_COMPILE_ICE = ["python3-venv", "python3.15-dev", "python3.15-venv", "libssl-dev", "libbz2-dev", "ca-certificates"]
TEST_PACKAGES = ["pytest", "pytest-asyncio", "pytest-timeout", "pytest-xdist", "hypothesis", "rich", "uvloop"]

# The interpreter, and which zeroc-ice of PyPI. Without: Debian's for 3.11, else the newest.
HOST_PAIRS = {
    "3.10-3.6.5": ("python3.10", "3.6.5"),
    "3.11": ("python3.11", ""),
    "3.11-3.7.11": ("python3.11", "3.7.11"),
    "3.12-3.7.11": ("python3.12", "3.7.11"),
    "3.13-3.7.11": ("python3.13", "3.7.11"),
    "3.12": ("python3.12", ""),
    "3.13": ("python3.13", ""),
}
SID_PYTHONS = {
    "sid": "python3",
    "sid-debug": "python3-dbg",
    "aarch64": "python3",
    "sid-3.7.11": "python3",
    "sid-3.15": "python3.15",
}
SID_ICE = {"sid-3.7.11": "zeroc-ice==3.7.11", "sid-3.15": "zeroc-ice"}
"""What PyPI has and is compiled there; the others get Debian's."""

# What is run where not all can be: the extension left out, and an emulated processor, on which debuggers see nothing.
PURE = "3.13-pure"
HOST_PAIRS[PURE] = HOST_PAIRS["3.13"]
TESTS = {
    PURE: ["tests/test_without_extension.py"],
    "aarch64": ["tests/test_facade.py", "tests/test_futures.py"],
}
MOST_RUNS = {"aarch64": 2}
TIMES = {"aarch64": "5"}
"""How many times the time of a scenario it may take there."""
NOT_EMULATED = {
    "input_and_exit_in_servant": "qemu has no terminals: `isatty` is false for each",
    "input_and_servant_stuck": "the same",
    "no_thread_at_exit": "qemu sets no limit of memory, so there is always room for one more thread",
}
"""Scenarios that never begin under qemu, plain or guarded."""
SCENARIOS = ROOT / "icegil/commands/torture/scenarios"
ENVIRONMENT = {PURE: {"ICEGIL_PURE": "1"}}
NOTE = """\
Made by `make matrix`; torture is `icegil torture --guarded`: runs that ended well, and runs of each scenario. Mode
teardown is without the extension, as on macOS, Windows and musl. aarch64 ran under qemu, which shows no weak memory
order; its tests are those that do not look into processes. Not tried: the wheels of 3.6.5 for CPython 3.11 and 3.12,
which are not on PyPI."""
"""What stands below the table."""
TAIL = 40
"""Lines of a log that are shown when something fell short."""


@dataclass
class Row:
    """What came of one pair."""

    name: str
    cells: list[str]
    """CPython, Ice, mode, tests, torture, date."""
    is_good: bool


class Pair:
    """One interpreter with one Ice, in a copy of the tree of its own."""

    def __init__(self, name: str, folder: Path, python: str, prefix: tuple[str, ...] = ()) -> None:
        self.name = name
        self.folder = folder  # as the host sees it
        self.python = python  # as the commands see it
        self.prefix = prefix

    def call(self, *words: str, log: str) -> tuple[int, str]:
        """Runs a command in the copy; its status, and what it printed, which also goes to a log file.

        If it fails, the end of that is shown.
        """
        where = {} if self.prefix else {"cwd": self.folder}
        unwanted = ("ICEGIL_", "PYTHON")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
        environment |= ENVIRONMENT.get(self.name, {})
        done = subprocess.run(
            [*self.prefix, *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            **where,
        )
        path = FOLDER / f"{self.name}.{log}.log"
        path.write_text(done.stdout)
        if done.returncode != 0:
            say(f"{self.name}: {' '.join(words)} ended with {done.returncode}; the end of {path}:")
            print(*done.stdout.splitlines()[-TAIL:], sep="\n", flush=True)
        return done.returncode, done.stdout

    def build(self) -> bool:
        """Builds icegil in the copy."""
        return self.call(self.python, "setup.py", "build_ext", "--inplace", log="build")[0] == 0

    def run(self, runs: int) -> Row:
        """Tests and tortures it."""
        chosen = TESTS.get(self.name, [])
        options = ["-q", "-n", "2", "-p", "no:cacheprovider"]
        tested, tests = self.call(self.python, "-m", "pytest", *options, *chosen, log="tests")
        times = str(min(runs, MOST_RUNS.get(self.name, runs)))
        words = ["-n", times, "--times", TIMES.get(self.name, "1"), "--guarded"]
        if self.name == "aarch64":
            for name, reason in NOT_EMULATED.items():
                say(f"{self.name}: {name} is left out: {reason}")
            words += sorted({path.stem for path in SCENARIOS.glob("[!_]*.py")} - NOT_EMULATED.keys())
        tortured, torture = self.call(self.python, "-m", "icegil", "torture", *words, log="torture")
        pair = re.search(r"^tested: CPython (.+), Ice (.+), mode (.+)$", tests, re.MULTILINE)
        cells = [
            *(pair.groups() if pair else (self.name, "", "")),
            _last_line(tests, r"(\d+ (?:passed|failed).*?) in "),
            f"{_last_line(torture, r'icegil: (.+ of .+) runs')}, {times} each",
            str(datetime.date.today()),
        ]
        return Row(self.name, cells, is_good=tested == tortured == 0)


def _last_line(printed: str, pattern: str) -> str:
    found = re.findall(pattern, printed)
    return re.sub(r", \d+ warnings?|[= ]+$", "", found[-1]) if found else "no result: see the log"


def say(text: str) -> None:
    print(f"matrix: {text}", flush=True)


def copy_tree(to: Path) -> None:
    """The files that git knows, as they are now."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    shutil.rmtree(to, ignore_errors=True)
    for name in filter(None, names.split("\0")):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, to / name)


# ---- pairs of this machine


def host_pair(name: str) -> Pair:
    """The pair of an interpreter of this machine, in the environment that the bootstrap makes."""
    python, ice = HOST_PAIRS[name]
    found = find_python(python)
    if name == "3.11" and subprocess.run([found, "-c", "import Ice"], capture_output=True).returncode != 0:
        raise Skipped(f"{found} has no Ice: apt-get install python3-zeroc-ice")
    folder = FOLDER / name
    kept = folder.with_suffix(".venv")  # zeroc-ice takes long to compile
    if (folder / ".venv").exists():
        shutil.rmtree(kept, ignore_errors=True)
        (folder / ".venv").rename(kept)
    copy_tree(folder)
    if kept.exists():
        kept.rename(folder / ".venv")
    pair = Pair(name, folder, str(folder / ".venv/bin/python"))
    wanted = ["--python", found, *(["--ice", ice] if ice else [])]
    status, _ = pair.call(sys.executable, "tools/bootstrap.py", *wanted, "--extra", "test", log="bootstrap")
    # If all is there, it is icegil that could not be built, and that is no reason to skip.
    if status != 0 and pair.call(pair.python, "-c", "import Ice, Cython, pytest, xdist", log="environment")[0] != 0:
        raise Skipped("its environment could not be made")
    return pair


def find_python(python: str) -> str:
    """The interpreter of this name: on PATH, or one of pyenv's."""
    version = python.removeprefix("python")
    places = [Path("/usr/bin", python), *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/{python}"))]
    places += [Path(shutil.which(python) or "/nowhere")]
    for place in places:
        if place.exists() and subprocess.run([place, "-c", ""], capture_output=True).returncode == 0:
            return str(place)
    raise Skipped(f"{python} is not installed")


# ---- pairs of Debian's sid


def sid_pair(name: str) -> Pair:
    """A pair of Debian's unstable distribution: its default Python, that one's debug build, or 3.15."""
    root = ARM if name == "aarch64" else SID
    if name == "aarch64":
        roots.emulate(name)
        say("its root is made and its extension is compiled under qemu, which takes long")
        roots.make(ARM, "sid", SID_PACKAGES, "arm64")
    else:
        make_sid(TO_COMPILE_ICE if name in SID_ICE else [])
    tree = f"/opt/icegil/{name}"
    folder = root / tree[1:]
    copy_tree(folder)
    pair = Pair(name, folder, SID_PYTHONS[name], (*inside(root), "env", "-C", tree, f"PYTHONPATH={tree}"))
    if name in SID_ICE:
        pair.python = _compile_ice(pair)
    return pair


def make_sid(more: list[str]) -> None:
    """Makes the root, and installs in it what is not there yet."""
    if not SID.exists():
        say(f"making a root of Debian's sid at {SID}")
    roots.make(SID, "sid", [*SID_PACKAGES, *more])


def _compile_ice(pair: Pair) -> str:
    """An environment with zeroc-ice, made once; its interpreter, as seen inside."""
    say(f"{pair.name}: zeroc-ice is compiled the first time: about 12 minutes")
    venv = f"/opt/icegil-{pair.name}"
    wanted = [SID_ICE[pair.name], "Cython>=3.1", "setuptools", *TEST_PACKAGES]
    for words in ((pair.python, "-m", "venv", venv), (f"{venv}/bin/python", "-m", "pip", "install", "-q", *wanted)):
        status, _ = pair.call("env", f"PIP_CERT=/{roots.CERTIFICATES}", *words, log="venv")
        if status != 0:
            raise Skipped("zeroc-ice could not be compiled")
    return f"{venv}/bin/python"


# ---- the table


def table(rows: list[list[str]]) -> str:
    """The rows, in Markdown."""
    heading = ["CPython", "zeroc-ice", "mode", "tests", "torture", "date"]
    lines = [f"| {' | '.join(cells)} |" for cells in (heading, ["---"] * len(heading), *rows)]
    return "\n".join([*lines, "", NOTE, ""])


def put_into_readme(rows: list[Row]) -> None:
    """Puts rows in the place of those of the same pair in the README, where the others stay."""
    before, _, rest = README.read_text().partition(MARKS[0])
    old, _, after = rest.partition(MARKS[1])
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in old.splitlines() if line[:3] == "| 3"]
    merged = {_pair(cells): cells for cells in [*found, *(row.cells for row in rows)]}
    README.write_text(before + MARKS[0] + table([merged[pair] for pair in sorted(merged)]) + MARKS[1] + after)


def _pair(cells: list[str]) -> tuple[object, ...]:
    """What a row is found by, and its place in the table."""
    return tuple(map(int, re.findall(r"\d+", cells[0].partition(",")[0]))), *cells[:3]


def main() -> int:
    parser = argparse.ArgumentParser(description="Tests every supported pair of CPython and Ice.")
    parser.add_argument("-n", "--runs", type=int, default=20, help="runs of each torture scenario (20)")
    names = [*HOST_PAIRS, *SID_PYTHONS]
    parser.add_argument("--only", nargs="+", choices=names, metavar="PAIR", help=f"these alone: {', '.join(names)}")
    parser.add_argument("--full", action="store_true", help="those of sid too for which zeroc-ice is compiled")
    parser.add_argument("--readme", action="store_true", help="put the table into the README")
    chosen = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in chosen.only or [name for name in names if chosen.full or name not in SID_ICE]:
        try:
            pair = host_pair(name) if name in HOST_PAIRS else sid_pair(name)
        except Skipped as reason:
            say(f"{name}: skipped: {reason}")
            continue
        say(f"{name}: testing")
        row = pair.run(chosen.runs) if pair.build() else Row(name, [name, "", "", "not built", ""], is_good=False)
        say(f"{name}: {', '.join(filter(None, row.cells))}")
        rows.append(row)
    print(table([row.cells for row in rows]))
    if left_out := [name for name in names if name not in {row.name for row in rows}]:
        say(f"not run: {', '.join(left_out)}")
    if chosen.readme:
        put_into_readme(rows)
    return 0 if all(row.is_good for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
