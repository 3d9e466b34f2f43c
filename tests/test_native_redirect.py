"""Redirecting imported functions, without Python in the loop: the C++ tests on libraries as linkers make them.

Each runs natively and, where a cross compiler and qemu are installed, on the other supported processor. With SANITIZER
in the environment ("thread", "address-undefined") the native ones, libraries and all, are made with that.
"""

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sanitizers import SANITIZERS, launcher_for

ROOT = Path(__file__).parent.parent
NATIVE = Path(__file__).parent / "native"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


@dataclass(frozen=True)
class Toolchain:
    """A compiler, and how to run what it makes."""

    cxx: str
    runner: tuple[str, ...] = ()
    flips: int = 10_000
    """How often the storm redirects and gives back."""
    flags: tuple[str, ...] = ()

    def compile(self, *arguments: object) -> None:
        command = [self.cxx, "-std=c++17", "-g", f"-I{ROOT / 'include'}", *self.flags, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"

    def run(self, *command: object) -> str:
        done = subprocess.run([*self.runner, *map(str, command)], capture_output=True, text=True)
        assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def has_linker_for(self, flag: str, out: Path) -> bool:
        """Whether there is a linker that knows the flag; of unknown ones it only warns."""
        command = [self.cxx, "-shared", "-nostdlib", "-Wl,--fatal-warnings", flag, "-xc++", "/dev/null", "-o", str(out)]
        return subprocess.run(command, capture_output=True).returncode == 0


@dataclass(frozen=True)
class Variant:
    """One way to make the victim library."""

    flags: tuple[str, ...]
    kinds: frozenset[str]
    """The kinds of slots that it is made for."""
    needs: str | None = None
    """Its flag that not every linker has."""


def variant(*flags: str, kinds: str, needs: str | None = None) -> Variant:
    return Variant((*flags, needs) if needs else flags, frozenset(kinds.split()), needs)


LAZY, NOW = "-Wl,-z,lazy", "-Wl,-z,now"
RELRO, NO_RELRO = "-Wl,-z,relro", "-Wl,-z,norelro"
POINTERS, ADDRESS = "-DHAS_POINTERS", "-DTAKES_ADDRESS"
# GNU ld makes one slot of a call and an address on x86-64.
GOLD = "-fuse-ld=gold"

VARIANTS = {
    "lazy": variant(LAZY, RELRO, kinds="JUMP_SLOT"),
    "lazy-norelro": variant(LAZY, NO_RELRO, kinds="JUMP_SLOT"),
    "now-full-relro": variant(NOW, RELRO, kinds="JUMP_SLOT"),
    "now-norelro": variant(NOW, NO_RELRO, kinds="JUMP_SLOT"),
    "no-plt": variant("-fno-plt", NOW, RELRO, kinds="GLOB_DAT"),
    "no-plt-norelro": variant("-fno-plt", LAZY, NO_RELRO, kinds="GLOB_DAT"),
    "call-and-address": variant(ADDRESS, LAZY, RELRO, kinds="JUMP_SLOT GLOB_DAT", needs=GOLD),
    "call-and-address-norelro": variant(ADDRESS, LAZY, NO_RELRO, kinds="JUMP_SLOT GLOB_DAT", needs=GOLD),
    "pointers": variant(POINTERS, LAZY, RELRO, kinds="JUMP_SLOT POINTER"),
    "pointers-full-relro": variant(POINTERS, NOW, RELRO, kinds="JUMP_SLOT POINTER"),
    "pointers-norelro": variant(POINTERS, NOW, NO_RELRO, kinds="JUMP_SLOT POINTER"),
    "everything": variant(POINTERS, ADDRESS, LAZY, RELRO, kinds="JUMP_SLOT GLOB_DAT POINTER", needs=GOLD),
    "hash-sysv": variant("-Wl,--hash-style=sysv", LAZY, RELRO, kinds="JUMP_SLOT"),
    "hash-gnu": variant("-Wl,--hash-style=gnu", LAZY, RELRO, kinds="JUMP_SLOT"),
    "relr": variant(POINTERS, LAZY, RELRO, kinds="JUMP_SLOT POINTER", needs="-Wl,-z,pack-relative-relocs"),
    "marked-plt": variant(LAZY, RELRO, kinds="JUMP_SLOT", needs="-Wl,-z,mark-plt"),
    "no-rela": variant("-nostdlib", LAZY, RELRO, kinds="JUMP_SLOT"),
}


@dataclass
class Workshop:
    """Makes the test program and the libraries, each once."""

    toolchain: Toolchain
    folder: Path
    made: dict[str, Path] = field(default_factory=dict)

    def library(self, name: str, source: str, *flags: object) -> Path:
        if name not in self.made:
            self.made[name] = self.folder / name
            self.toolchain.compile("-O2", "-fPIC", "-shared", NATIVE / source, "-o", self.made[name], *flags)
        return self.made[name]

    def callee(self) -> Path:
        return self.library("libcallee.so", "callee.cpp")

    def with_callee(self) -> tuple[str, ...]:
        # By its bare name, so that the bare name is what is asked of the loader.
        return (f"-L{self.folder}", f"-l:{self.callee().name}", f"-Wl,-rpath,{self.folder}")

    def victim(self, name: str, *flags: object) -> Path:
        self.program()
        return self.library(f"libvictim-{name}.so", "victim.cpp", *self.with_callee(), *flags)

    def victim_of(self, name: str) -> Path:
        made_with = VARIANTS[name]
        if made_with.needs and not self.toolchain.has_linker_for(made_with.needs, self.folder / "probe.so"):
            pytest.skip(f"{self.toolchain.cxx} has no linker for {made_with.needs}")
        return self.victim(name, *made_with.flags)

    def victim_with_a_secret(self) -> Path:
        by_soname = self.folder / "libhidden.so.7"  # where the loader looks for it
        hidden = self.library("libhidden-7.so", "hidden.cpp", f"-Wl,-soname,{by_soname.name}")
        if not by_soname.is_symlink():
            by_soname.symlink_to(hidden.name)
        return self.victim("secret", "-DCALLS_HIDDEN", "-DIMPORTS_WEAKLY", LAZY, hidden)

    def program(self, *flags: str) -> Path:
        name = "_".join(["test_redirect", *flags])
        if name not in self.made:
            self.made[name] = self.folder / name
            flags = (f"-DFLIPS={self.toolchain.flips}", *WARNINGS, *flags, *self.with_callee(), "-pthread", "-ldl")
            self.toolchain.compile("-O1", NATIVE / "test_redirect.cpp", "-o", self.made[name], *flags)
        return self.made[name]

    def check(self, case: str, library: Path) -> str:
        return self.toolchain.run(self.program(), case, library)


@pytest.fixture(scope="module", params=["native", "aarch64"])
def workshop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    machine = platform.machine()
    if request.param == "native":
        if machine not in ("x86_64", "aarch64"):
            pytest.skip(f"icegil redirects nothing on {machine}")
        sanitizer = os.environ.get("SANITIZER", "plain")
        launcher = launcher_for(sanitizer, tmp_path_factory.mktemp("empty"))
        # Fewer flips: each reads /proc/self/maps, which a sanitizer makes long.
        flips = 10_000 if sanitizer == "plain" else 2_000
        toolchain = Toolchain("g++", tuple(launcher), flips, tuple(SANITIZERS[sanitizer]))
    else:
        if machine == "aarch64":
            pytest.skip("this is an aarch64 machine: the native run is the one")
        # Fewer flips: qemu takes 10 ms for one, most of it to write out its idea of /proc/self/maps.
        runner = ("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu")
        toolchain = Toolchain("aarch64-linux-gnu-g++", runner, flips=500)
    for tool in (toolchain.cxx, *toolchain.runner[:1], "readelf"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    return Workshop(toolchain, tmp_path_factory.mktemp(request.param))


def slots_by_readelf(library: Path) -> set[tuple[str, int]]:
    shown = subprocess.run(["readelf", "-rW", library], capture_output=True, text=True, check=True).stdout
    kinds = {"JUMP_SLOT": "JUMP_SLOT", "GLOB_DAT": "GLOB_DAT", "64": "POINTER", "ABS64": "POINTER"}
    entry = re.compile(r"^(\w+) +\w+ +R_(?:X86_64|AARCH64)_(\w+) +\w+ +answer(?:@\S+)? \+ 0$", re.MULTILINE)
    # An addend of a jump slot means nothing (-z mark-plt); an addend of a pointer makes it another pointer.
    marked = re.compile(r"^(\w+) +\w+ +R_X86_64_(JUMP_SLOT) +\w+ +answer \+ \w+$", re.MULTILINE)
    return {(kinds[kind], int(offset, 16)) for offset, kind in entry.findall(shown) + marked.findall(shown)}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_slot_that_readelf_shows_is_found_and_no_other(workshop: Workshop, name: str) -> None:
    library = workshop.victim_of(name)
    found = [line.split() for line in workshop.check("lists_slots", library).splitlines()]
    expected = slots_by_readelf(library)
    assert {(kind, int(offset, 16)) for kind, offset, _ in found} == expected

    made_with = VARIANTS[name]
    assert {kind for kind, _ in expected} == made_with.kinds, "the variant is not what it was made for"
    of_calls = {permissions for kind, _, permissions in found if kind != "POINTER"}
    if NO_RELRO in made_with.flags:
        assert of_calls == {"rw-p"}
    elif NOW in made_with.flags:
        assert of_calls == {"r--p"}


@pytest.mark.parametrize("name", VARIANTS)
def test_calls_are_diverted_and_given_back_and_pages_stay_as_they_were(workshop: Workshop, name: str) -> None:
    workshop.check("diverts_every_way_and_gives_it_back", workshop.victim_of(name))


@pytest.mark.parametrize("name", ["lazy", "now-full-relro", "no-plt", "everything"])
def test_what_somebody_else_wrote_since_is_left_alone(workshop: Workshop, name: str) -> None:
    workshop.check("leaves_what_somebody_else_wrote_since", workshop.victim_of(name))


@pytest.mark.parametrize("name", ["pointers", "pointers-full-relro"])
def test_a_variable_that_points_elsewhere_is_left_alone(workshop: Workshop, name: str) -> None:
    workshop.check("leaves_a_variable_that_points_elsewhere", workshop.victim_of(name))


@pytest.mark.parametrize("name", ["lazy-norelro", "now-full-relro", "no-plt"])
def test_every_call_of_a_storm_lands_in_exactly_one_of_both(workshop: Workshop, name: str) -> None:
    print(workshop.check("every_call_of_a_storm_lands_in_exactly_one", workshop.victim_of(name)))


def test_objects_are_found_with_what_they_need(workshop: Workshop) -> None:
    workshop.check("finds_objects_and_what_they_need", workshop.victim_with_a_secret())


def test_the_reason_is_said_when_nothing_can_be_redirected(workshop: Workshop) -> None:
    workshop.check("says_why_not", workshop.victim_with_a_secret())


def test_a_function_that_only_the_library_sees_is_known_once_it_is_bound(workshop: Workshop) -> None:
    workshop.check("knows_a_function_that_only_the_library_sees", workshop.victim_with_a_secret())


def test_calls_to_a_function_of_its_own_are_diverted_where_they_go_through_a_slot(workshop: Workshop) -> None:
    library = workshop.victim("own", "-DDEFINES_ANSWER", LAZY)
    workshop.check("diverts_a_function_that_the_library_has_itself", library)


def test_a_library_that_prefers_a_function_of_its_own_gets_that_back(workshop: Workshop) -> None:
    if workshop.toolchain.flags:
        pytest.skip("sanitizers refuse RTLD_DEEPBIND, which makes a library prefer its own")
    library = workshop.victim("own", "-DDEFINES_ANSWER", LAZY)
    workshop.check("gives_back_a_function_of_its_own_to_a_library_that_prefers_it", library)


@pytest.mark.parametrize("flags", [("-fPIE", "-pie"), ("-fno-pie", "-no-pie")], ids=["pie", "no-pie"])
def test_the_original_is_never_the_way_back_through_the_slot(workshop: Workshop, flags: tuple[str, str]) -> None:
    workshop.toolchain.run(workshop.program(*flags), "original_is_never_the_way_through_the_slot", "-")


def test_pages_are_left_as_they_were_whatever_they_were(workshop: Workshop) -> None:
    workshop.check("pages_are_left_as_they_were", workshop.callee())


def test_nothing_is_written_when_a_page_cannot_be_opened(workshop: Workshop) -> None:
    workshop.check("nothing_is_written_when_a_page_cannot_be_opened", workshop.callee())


def test_a_page_that_cannot_be_closed_again_is_told(workshop: Workshop) -> None:
    workshop.check("a_page_that_cannot_be_closed_again_is_told", workshop.callee())


def test_code_in_the_page_of_a_slot_goes_on_running(workshop: Workshop) -> None:
    workshop.check("code_in_the_page_of_a_slot_goes_on_running", workshop.callee())


def test_undo_touches_nothing_that_is_not_mapped_any_more(workshop: Workshop) -> None:
    workshop.check("undo_touches_nothing_that_is_not_mapped", workshop.callee())


@pytest.mark.parametrize("sanitizers", ["", "address,undefined"], ids=["plain", "sanitized"])
def test_damaged_tables_are_told_and_never_followed(
    workshop: Workshop, sanitizers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = workshop.folder / f"test_loaded_object{sanitizers}"
    flags = [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"] if sanitizers else []
    workshop.toolchain.compile("-O1", *WARNINGS, *flags, NATIVE / "test_loaded_object.cpp", "-o", program)
    if workshop.toolchain.runner:
        monkeypatch.setenv("ASAN_OPTIONS", "detect_leaks=0")  # it stops threads with ptrace, which qemu has not
    workshop.toolchain.run(program)


def test_an_unsupported_platform_compiles_and_says_so(workshop: Workshop) -> None:
    program = workshop.folder / "test_redirect_unsupported"
    source = NATIVE / "test_redirect_unsupported.cpp"
    workshop.toolchain.compile(*WARNINGS, "-U__ELF__", source, "-o", program)
    workshop.toolchain.run(program)
