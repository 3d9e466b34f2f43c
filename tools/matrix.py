"""Runs the tests and the torture on every supported pair of CPython and Ice, and writes the table of the README.

Each pair gets a copy of the tree of its own, under build/matrix. What needs Debian's sid gets it in a root of its own,
made by debootstrap; that needs root, about 5 minutes and 1.5 GB. A pair that cannot be had here is skipped, with the
reason.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "matrix"
README = ROOT / "README.md"
MARKS = ("<!-- matrix: made by `make matrix` -->\n", "<!-- end of matrix -->\n")

SID = Path(os.environ.get("ICEGIL_SID", FOLDER / "sid"))
MIRROR = "http://deb.debian.org/debian"
SID_PACKAGES = [
    "g++",
    "make",
    "gdb",
    "openssl",
    "cython3",
    "python3",
    "python3-dev",
    "python3-dbg",
    "python3-setuptools",
    "python3-pytest",
    "python3-pytest-timeout",
    "python3-hypothesis",
    "python3-rich",
    "python3-uvloop",
    "python3-zeroc-ice",
]
FULL_PACKAGES = ["python3.15", "python3.15-dev", "python3.15-venv", "libssl-dev", "libbz2-dev"]

# Run by the interpreter of a pair, with icegil in place: what stands in its row.
FACTS = """
import json, platform, sys, icegil
Ice = icegil.install()
build = "Debian" if "dist-packages" in Ice.__file__ else "PyPI"
print(json.dumps({"python": platform.python_version() + ("d" if hasattr(sys, "gettotalrefcount") else ""),
                  "ice": f"{Ice.stringVersion()} ({build})", "mode": icegil.status().mode}))
"""


class Skipped(Exception):
    """Why a pair cannot be had here."""


@dataclass
class Row:
    """What came of one pair."""

    name: str
    facts: dict[str, str] = field(default_factory=dict)
    tests: str = ""
    torture: str = ""
    is_good: bool = False


class Pair:
    """One interpreter with one Ice, in a copy of the tree of its own."""

    def __init__(self, name: str, folder: Path, python: str, prefix: tuple[str, ...] = ()) -> None:
        self.name = name
        self.folder = folder  # as the host sees it
        self.python = python  # as the commands see it
        self.prefix = prefix

    def call(self, *words: str, log: str) -> tuple[int, str]:
        """Runs a command in the copy; its status, and what it printed, which also goes to a log file."""
        where = {} if self.prefix else {"cwd": self.folder}
        unwanted = ("ICEGIL_", "PYTHON")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
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
        (FOLDER / f"{self.name}.{log}.log").write_text(done.stdout)
        return done.returncode, done.stdout

    def run(self, runs: int) -> Row:
        """Builds, tests and tortures it."""
        row = Row(self.name)
        status, printed = self.call(self.python, "-c", FACTS, log="facts")
        if status != 0:
            row.tests = f"icegil cannot be installed here: {printed.strip().splitlines()[-1]}"
            return row
        row.facts = json.loads(printed.splitlines()[-1])
        tested, printed = self.call(self.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", log="tests")
        row.tests = _last_line(printed, r"(\d+ (?:passed|failed).*?) in ")
        tortured, printed = self.call(
            self.python, "-m", "icegil", "torture", "-n", str(runs), "--guarded", log="torture"
        )
        row.torture = _last_line(printed, r"icegil: (\d+ of \d+) runs")
        row.is_good = tested == tortured == 0
        return row


def _last_line(printed: str, pattern: str) -> str:
    found = re.findall(pattern, printed)
    return re.sub(r"[= ]+$", "", found[-1]) if found else "no result: see the log"


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


def host_pair(name: str, python: str, needs_debian_ice: bool) -> Pair:
    """The pair of an interpreter of this machine, in the environment that the bootstrap makes."""
    found = _find(python)
    if needs_debian_ice and subprocess.run([found, "-c", "import Ice"], capture_output=True).returncode != 0:
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
    status, _ = pair.call(sys.executable, "tools/bootstrap.py", "--python", found, "--extra", "test", log="build")
    if status != 0:
        raise Skipped(f"it could not be built: see {FOLDER / name}.build.log")
    return pair


def _find(python: str) -> str:
    """The interpreter of this name: on PATH, or one of pyenv's."""
    version = python.removeprefix("python")
    places = [Path("/usr/bin", python), *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/{python}"))]
    places += [Path(shutil.which(python) or "/nowhere")]
    for place in places:
        if place.exists() and subprocess.run([place, "-c", ""], capture_output=True).returncode == 0:
            return str(place)
    raise Skipped(f"{python} is not installed")


# ---- pairs of Debian's sid


def sid_pairs(full: bool) -> Iterator[Pair]:
    """The pairs of Debian's unstable distribution: its default Python, that one's debug build, and 3.15 if `full`."""
    _make_sid(FULL_PACKAGES if full else [])
    folder = SID / "icegil"
    copy_tree(folder)
    for name, python in (
        ("sid", "python3"),
        ("sid-debug", "python3-dbg"),
        *([("sid-3.15", "python3.15")] if full else []),
    ):
        pair = Pair(name, folder, python, ("chroot", str(SID), "env", "-C", "/icegil", "PYTHONPATH=/icegil"))
        if python == "python3.15":
            _make_ice_for_315(pair)
        status, printed = pair.call(pair.python, "setup.py", "build_ext", "--inplace", log="build")
        if status != 0:
            say(f"{name}: skipped: it could not be built: {printed.strip().splitlines()[-1]}")
            continue
        yield pair


def _make_sid(more: list[str]) -> None:
    if os.geteuid() != 0:
        raise Skipped("a root of Debian's sid can only be made by root")
    if shutil.which("debootstrap") is None:
        raise Skipped("debootstrap is not installed: apt-get install debootstrap")
    if not (SID / "bin/bash").exists():
        say(f"making a root of Debian's sid at {SID}")
        SID.parent.mkdir(parents=True, exist_ok=True)
        _quietly("debootstrap", "sid", str(SID), MIRROR)
    shutil.copy2("/etc/resolv.conf", SID / "etc/resolv.conf")
    for words in (("-t", "proc", "proc", SID / "proc"), ("--rbind", "/dev", SID / "dev")):
        if not os.path.ismount(words[-1]):
            subprocess.run(["mount", *map(str, words)], check=True)
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *SID_PACKAGES, *more]
    inside = ("chroot", str(SID), "env", "DEBIAN_FRONTEND=noninteractive")
    try:
        _quietly(*inside, *install)
    except Skipped:  # the lists of packages may be old
        _quietly(*inside, "apt-get", "update", "-qq")
        _quietly(*inside, *install)


def _make_ice_for_315(pair: Pair) -> None:
    say("compiling zeroc-ice for CPython 3.15: about 12 minutes the first time")
    venv = "/opt/icegil-3.15"
    pair.call("python3.15", "-m", "venv", venv, log="venv")
    wanted = ["zeroc-ice", "Cython>=3.1", "setuptools", "pytest", "pytest-timeout", "hypothesis", "rich"]
    status, _ = pair.call(f"{venv}/bin/python", "-m", "pip", "install", "-q", *wanted, log="venv")
    if status != 0:
        raise Skipped(f"zeroc-ice could not be compiled for 3.15: see {FOLDER / pair.name}.venv.log")
    pair.python = f"{venv}/bin/python"


def _quietly(*words: str) -> None:
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise Skipped(f"{' '.join(words[:4])} ... failed: {(done.stderr or done.stdout).strip()[-300:]}")


# ---- the table


def table(rows: list[Row], runs: int) -> str:
    """The rows, in Markdown."""
    lines = ["| CPython | zeroc-ice | mode | tests | torture |", "|---|---|---|---|---|"]
    for row in rows:
        cells = [row.facts.get("python", row.name), row.facts.get("ice", ""), row.facts.get("mode", "")]
        lines.append(f"| {' | '.join([*cells, row.tests, row.torture])} |")
    today = datetime.date.today()
    note = f"Made by `make matrix` on {today}; torture is `icegil torture -n {runs} --guarded`: runs that ended well."
    return "\n".join([*lines, "", note, ""])


def put_into_readme(text: str) -> None:
    """Replaces what stands between the marks."""
    before, _, rest = README.read_text().partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    README.write_text(before + MARKS[0] + text + MARKS[1] + after)


def main() -> int:
    parser = argparse.ArgumentParser(description="Tests every supported pair of CPython and Ice.")
    parser.add_argument("-n", "--runs", type=int, default=20, help="runs of each torture scenario (20)")
    parser.add_argument("--only", nargs="+", metavar="PAIR", help="3.11 3.12 3.13 sid: these alone")
    parser.add_argument("--full", action="store_true", help="CPython 3.15 too, for which zeroc-ice is compiled")
    parser.add_argument("--readme", action="store_true", help="put the table into the README")
    chosen = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)

    def pairs() -> Iterator[Pair]:
        for name, python, needs in (
            ("3.11", "python3.11", True),
            ("3.12", "python3.12", False),
            ("3.13", "python3.13", False),
        ):
            if chosen.only is None or name in chosen.only:
                try:
                    yield host_pair(name, python, needs)
                except Skipped as reason:
                    say(f"{name}: skipped: {reason}")
        if chosen.only is None or "sid" in chosen.only:
            try:
                yield from sid_pairs(chosen.full)
            except Skipped as reason:
                say(f"sid: skipped: {reason}")

    rows = []
    for pair in pairs():
        say(f"{pair.name}: testing")
        rows.append(pair.run(chosen.runs))
        say(f"{pair.name}: {rows[-1].facts}, tests {rows[-1].tests}, torture {rows[-1].torture}")
    text = table(rows, chosen.runs)
    print(text)
    if chosen.readme:
        put_into_readme(text)
    return 0 if rows and all(row.is_good for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
