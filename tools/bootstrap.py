"""Makes .venv with all that icegil needs, and icegil itself built in it; does only what is not done yet.

Runs on Python 3.11 or newer with its standard library, nothing else; .venv may be of 3.10. It belongs to this program:
one that is broken, or made with another Python than the one asked for, is made anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "icegil.json"
BUILD_LOG = ROOT / "build" / "zeroc-ice.log"

OLDEST = (3, 10)
NAMES = ("python3.13", "python3.12", "python3")

# How many files zeroc-ice 3.8.3 compiles: an estimate for the progress line, other versions may have more or fewer.
FILES_TO_COMPILE = 183
FILES_BEFORE_GUESSING = 15
SECONDS_BETWEEN_LINES = 30

# What has to be compilable, by the Debian package that brings it. The last two matter to zeroc-ice alone.
PYTHON_HEADER = {"python3-dev": "Python.h"}
ICE_HEADERS = {"libssl-dev": "openssl/ssl.h", "libbz2-dev": "bzlib.h"}

# Run by each interpreter that is looked at. A version manager's stub, or a Python built without ssl or bz2, fails here
# and does not count. A virtual environment does not hand its Ice down to one made from it: there, Ice counts in .venv
# only.
PROBE = """
import bz2, importlib.util, json, os, ssl, sys, sysconfig, venv
in_venv = sys.prefix != sys.base_prefix
try:
    import Ice
    has_ice = not in_venv or os.path.realpath(sys.prefix) == sys.argv[1]
except ImportError:
    has_ice = False
print(json.dumps({
    "path": sys.executable,
    "base": os.path.realpath(sys._base_executable),
    "version": sys.version_info[:3],
    "include": sysconfig.get_path("include"),
    "has_ice": has_ice,
    "has_pip": importlib.util.find_spec("pip" if in_venv else "ensurepip") is not None,
}))
"""


class BootstrapError(Exception):
    """Something that the person at the keyboard has to mend; its text is all that is shown."""


@dataclass(frozen=True)
class Interpreter:
    path: str
    base: str
    version: tuple[int, int, int]
    include: str
    has_ice: bool
    has_pip: bool

    def __str__(self) -> str:
        return f"Python {'.'.join(map(str, self.version))} ({self.path})"

    def run(self, *args: str) -> None:
        try:
            subprocess.run([self.path, *args], check=True, cwd=ROOT)
        except subprocess.CalledProcessError as error:
            raise BootstrapError(f"failed with status {error.returncode}: {shlex.join(error.cmd)}") from None

    def pip_install(self, *args: str) -> None:
        self.run("-m", "pip", "install", "--quiet", *args)


def say(text: str) -> None:
    print(f"bootstrap: {text}", flush=True)


# ---- which Python


def probe(path: str | Path) -> Interpreter | None:
    """What there is to know of the interpreter at `path`; None if it does not run or is of no use here."""
    try:
        answer = subprocess.run([path, "-c", PROBE, VENV], capture_output=True, text=True, check=True, timeout=60)
        facts = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    interpreter = Interpreter(**{**facts, "version": tuple(facts["version"])})
    return interpreter if interpreter.version >= OLDEST else None


def candidates() -> Iterator[Path]:
    directories = [Path(entry) for entry in os.get_exec_path()]
    directories += Path.home().glob(".pyenv/versions/*/bin")
    seen = {VENV / "bin"}
    for directory in directories:
        if directory not in seen:
            seen.add(directory)
            yield from (path for name in NAMES if os.access(path := directory / name, os.X_OK))


def find_python(wanted: str | None) -> Interpreter:
    """The interpreter asked for, or else the newest; among equals one that has Ice already, then the first on PATH."""
    if wanted:
        found = probe(wanted)
        if found is None:
            raise BootstrapError(f"PYTHON={wanted} does not run, is older than 3.10, or lacks ssl, bz2 or venv")
        return found
    working = [found for path in candidates() if (found := probe(path))]
    if not working:
        raise BootstrapError("no Python 3.10 or newer here that runs; on Debian: apt-get install python3 python3-venv")
    return max(working, key=lambda found: (found.version[:2], found.has_ice))


# ---- what has to be there before anything long starts


def check_compiler(include: str, headers: dict[str, str]) -> None:
    compiler = shlex.split(os.environ.get("CXX", "g++"))

    def compiles(*names: str) -> bool:
        source = "".join(f"#include <{name}>\n" for name in names)
        command = [*compiler, "-x", "c++", "-std=c++17", "-fsyntax-only", f"-I{include}", "-"]
        return subprocess.run(command, input=source, text=True, capture_output=True, check=False).returncode == 0

    try:
        if compiles("atomic", *headers.values()):
            return
        missing = {} if compiles("atomic") else {"g++": "a C++17 compiler with its library"}
    except OSError:
        # Nobody to ask about the headers: name them all, so that one installation is enough.
        missing = {"g++": f"a C++ compiler ({compiler[0]} does not run)"}
    missing |= {package: name for package, name in headers.items() if missing or not compiles(name)}
    raise BootstrapError(f"missing {', '.join(missing.values())}; on Debian: apt-get install {' '.join(missing)}")


# ---- zeroc-ice, which has no wheel for Linux and takes long to compile


class CompileProgress:
    """Reads pip's verbose output and tells a person how far the compilation of zeroc-ice is.

    Says nothing at all when nothing is compiled, that is, when pip has a wheel.
    """

    def __init__(self) -> None:
        self.compiled = 0
        self.started: float | None = None
        self._terminal = sys.stdout.isatty()
        self._last_line = 0.0

    def feed(self, line: str) -> None:
        if self.started is None:
            if line.strip().startswith("Building wheel for zeroc-ice"):
                self.started = self._last_line = time.monotonic()
                say("zeroc-ice has no wheel for this platform, so it is compiled, once: about 8 to 15 minutes.")
                say(f"pip keeps the result for next time. Log: {BUILD_LOG.relative_to(ROOT)}")
        elif " -c " in line:
            self.compiled += 1
            self._show()

    def finish(self) -> None:
        if self.started is not None:
            if self._terminal:
                print()
            say(f"zeroc-ice: pip ended after {self.compiled} files and {clock(time.monotonic() - self.started)}")

    def _show(self) -> None:
        assert self.started is not None
        now = time.monotonic()
        if not self._terminal and now - self._last_line < SECONDS_BETWEEN_LINES:
            return
        self._last_line = now
        elapsed = now - self.started
        total = max(FILES_TO_COMPILE, self.compiled)
        text = f"zeroc-ice: compiling file {self.compiled} of about {total}, {clock(elapsed)} so far"
        if self.compiled >= FILES_BEFORE_GUESSING:
            text += f", about {clock(elapsed / self.compiled * (total - self.compiled))} left"
        if self._terminal:
            # A line that wraps could not be overwritten.
            print("\r\033[K" + f"bootstrap: {text}"[: shutil.get_terminal_size().columns - 1], end="", flush=True)
        else:
            say(text)


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def install_ice(python: Interpreter, requirement: str) -> None:
    """Install zeroc-ice by way of pip, showing how far it is if it has to be compiled."""
    say(f"installing {requirement}")
    BUILD_LOG.parent.mkdir(exist_ok=True)
    progress = CompileProgress()
    tail: deque[str] = deque(maxlen=25)
    command = [python.path, "-m", "pip", "install", "--verbose", requirement]
    with (
        BUILD_LOG.open("w") as log,
        subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as pip,
    ):
        assert pip.stdout is not None
        for line in pip.stdout:
            log.write(line)
            tail.append(line)
            progress.feed(line)
    progress.finish()
    if pip.returncode != 0:
        # Whole compiler commands would bury the message.
        sys.stderr.writelines(line if len(line) < 200 else line[:200] + "...\n" for line in tail)
        raise BootstrapError(f"zeroc-ice could not be installed; the whole log: {BUILD_LOG}")


# ---- the steps


def usable_venv(wanted: str | None) -> Interpreter | None:
    """The environment that is there already, if it works and is of the Python that was asked for."""
    existing = probe(VENV / "bin" / "python")
    if existing is None or not existing.has_pip:
        return None
    return existing if wanted is None or find_python(wanted).base == existing.base else None


def make_venv(base: Interpreter) -> Interpreter:
    if not base.has_pip:
        raise BootstrapError(f"{base} lacks ensurepip; on Debian: apt-get install python3-venv")
    say(f"making .venv with {base}" + (", using the Ice that is installed there" if base.has_ice else ""))
    base.run("-m", "venv", "--clear", *(["--system-site-packages"] if base.has_ice else []), str(VENV))
    made = probe(VENV / "bin" / "python")
    if made is None:
        raise BootstrapError(f".venv, just made with {base}, does not run")
    return made


def source_digest() -> str:
    """Changes when icegil has to be built again: sources, build files, or the debug flag."""
    digest = hashlib.sha256(os.environ.get("ICEGIL_DEBUG", "").encode())
    sources = [ROOT / "setup.py", ROOT / "pyproject.toml", *ROOT.glob("include/**/*.hpp")]
    sources += [path for path in ROOT.glob("icegil/**/*") if path.suffix in {".pyx", ".pxd", ".pxi"}]
    for path in sorted(sources):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def build_icegil(python: Interpreter, done: dict[str, object]) -> None:
    """Build the extension in place and install the package so that the source tree is what is imported.

    In place, because tests and demo run from the top of the clone, where Python finds the source tree first anyway.
    """
    digest = source_digest()
    extension = ROOT.glob(f"icegil/_bridge.*{python.version[0]}{python.version[1]}*.so")
    if done.get("built") == digest and any(extension):
        return
    say("building icegil" + (" with its own assertions" if os.environ.get("ICEGIL_DEBUG") == "1" else ""))
    python.pip_install("--no-build-isolation", "--no-deps", "--editable", str(ROOT))
    done["built"] = digest


def requirements(extras: list[str], *, build: bool) -> tuple[str, list[str]]:
    """What pyproject.toml asks for: zeroc-ice by itself, and the rest."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    rest = list(project["build-system"]["requires"]) if build else []
    for extra in extras:
        rest += project["project"]["optional-dependencies"][extra]
    ice: list[str] = []
    for requirement in project["project"]["dependencies"]:
        (ice if re.match(r"zeroc-ice\b", requirement) else rest).append(requirement)
    return ice[0], sorted(set(rest))


def bootstrap(wanted: str | None, wanted_ice: str | None, extras: list[str], *, build: bool) -> None:
    venv = usable_venv(wanted)
    target = venv or find_python(wanted)
    ice, rest = requirements(extras, build=build)
    if wanted_ice is not None:
        ice = f"zeroc-ice=={wanted_ice}"
        if venv is None:  # one that is installed already is another one
            target = replace(target, has_ice=False)
    install_ice_too = build and not target.has_ice
    if build:
        check_compiler(target.include, PYTHON_HEADER | (ICE_HEADERS if install_ice_too else {}))
    if venv is None:
        venv = make_venv(target)
    if install_ice_too:
        install_ice(venv, ice)

    done = json.loads(STAMP.read_text()) if STAMP.exists() else {}
    if missing := sorted(set(rest) - set(done.get("installed", []))):
        say(f"installing {', '.join(missing)}")
        venv.pip_install(*missing)
        done["installed"] = sorted({*missing, *done.get("installed", [])})
        STAMP.write_text(json.dumps(done))
    if build:
        build_icegil(venv, done)
        STAMP.write_text(json.dumps(done))


def main() -> int:
    parser = argparse.ArgumentParser(description="Make .venv with icegil built in it.")
    parser.add_argument("--python", metavar="PATH", help="the interpreter to use; the newest one found by default")
    parser.add_argument("--ice", metavar="VERSION", help="the zeroc-ice to install in a new .venv (the newest)")
    parser.add_argument("--extra", action="append", default=[], metavar="NAME", help="an extra of pyproject.toml")
    parser.add_argument("--no-build", action="store_true", help="install the extras only, neither zeroc-ice nor icegil")
    parser.add_argument("--find", action="store_true", help="only print the path of the interpreter that would be used")
    args = parser.parse_args()
    os.environ |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PYTHONUNBUFFERED": "1"}
    try:
        if args.find:
            print((usable_venv(args.python) or find_python(args.python)).path)
        else:
            bootstrap(args.python, args.ice, args.extra, build=not args.no_build)
    except BootstrapError as error:
        print(f"bootstrap: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
