"""Feeds damaged ELF files to the reader of relocations: tests/native/fuzz_redirect.cpp.

With clang's libFuzzer, which looks for inputs that reach new code, or with the harness's own mutator, which every GCC
with the address sanitizer compiles, and which does the same each time for the same seed. The files that are damaged
are libraries made here and now.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NATIVE = ROOT / "tests" / "native"
FLAGS = ["-std=c++17", "-O1", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fno-sanitize-recover=all"]
COMPILERS = {
    "mutator": ["g++", "-fsanitize=address,undefined"],
    "libfuzzer": ["clang++", "-fsanitize=fuzzer,address,undefined", "-DWITH_LIBFUZZER"],
}
SMALL = "-Wl,-z,max-page-size=4096,-z,noseparate-code,-z,norelro"
SEEDS = {
    "calls": [],
    "pointers": ["-DHAS_POINTERS"],
    "no-plt": ["-DTAKES_ADDRESS", "-fno-plt"],
    "own": ["-DDEFINES_ANSWER"],
}


class FuzzError(Exception):
    """A compiler failed; its text is what it said."""


def compile(*command: object) -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    if done.returncode != 0:
        raise FuzzError(f"{' '.join(map(str, command))}\n{done.stderr}")


def missing(driver: str) -> str:
    """Why this driver cannot be had here; empty if it can."""
    compiler = COMPILERS[driver][0]
    package = "g++" if compiler == "g++" else "clang libclang-rt-14-dev"
    return "" if shutil.which(compiler) else f"{compiler} is not installed; on Debian: apt-get install {package}"


def prepare(driver: str, folder: Path, include: Path = ROOT / "include") -> tuple[Path, list[Path]]:
    """The compiled harness, and the libraries to begin with, in the folder's `corpus`."""
    harness = folder / f"fuzz-{driver}"
    compile(
        *COMPILERS[driver], *FLAGS, f"-I{include}", NATIVE / "fuzz_redirect.cpp", "-o", harness, "-rdynamic", "-ldl"
    )
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    seeds = []
    for name, flags in SEEDS.items():
        seeds.append(corpus / f"{name}.so")
        compile(
            "g++", "-Os", "-s", "-fPIC", "-shared", "-nostdlib", SMALL, *flags, NATIVE / "victim.cpp", "-o", seeds[-1]
        )
    return harness, seeds


def command(driver: str, harness: Path, seeds: list[Path], seed: int, runs: int) -> list[str]:
    """What to run for so many inputs, in the folder where the input that breaks something is to be left."""
    if driver == "mutator":
        return [str(harness), str(runs), str(seed), *map(str, seeds)]
    words = [f"-seed={seed}", f"-runs={runs}", "-max_len=8192", "-print_final_stats=1"]
    return [str(harness), *words, str(seeds[0].parent)]


def main() -> int:
    parser = argparse.ArgumentParser(description="Feed damaged ELF files to the reader of relocations.")
    parser.add_argument("--driver", choices=COMPILERS, default="mutator" if missing("libfuzzer") else "libfuzzer")
    parser.add_argument("--runs", type=int, default=1_000_000, help="number of inputs (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    if why := missing(chosen.driver):
        raise SystemExit(f"fuzz: {why}")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        harness, seeds = prepare(chosen.driver, place)
        print(f"fuzz: {chosen.driver}, seed {chosen.seed}, {chosen.runs} inputs", flush=True)
        status = subprocess.run(command(chosen.driver, harness, seeds, chosen.seed, chosen.runs), cwd=place).returncode
        for found in (*place.glob("crash-*"), *place.glob("oom-*"), *place.glob("timeout-*")):
            kept = ROOT / "build" / found.name
            kept.parent.mkdir(exist_ok=True)
            shutil.copy(found, kept)
            print(f"fuzz: the input is kept in {kept}")
        return 1 if status else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FuzzError as error:
        sys.exit(f"fuzz: {error}")
