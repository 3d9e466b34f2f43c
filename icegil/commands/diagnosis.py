"""Finding out what is installed, what is guarded, what is not and why, and whether it works."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from dataclasses import dataclass, field
from types import ModuleType

import icegil._bridge as _bridge
import icegil._compat as _compat
import icegil.boundary as boundary
import icegil.guard as guard
import icegil.redirects as redirects
import icegil.versions as versions
from icegil.commands.memory_map import MemoryMap
from icegil.commands.torture.catalogue import SCENARIOS, read
from icegil.commands.torture.endings import command, judge, run
from icegil.errors import IcegilError

NOT_IMPORTED = "it is not imported"  # as the bridge says it
ONE_CALL = """
import icegil
from icegil import Ice
with Ice.initialize([]) as communicator:
    adapter = communicator.createObjectAdapter("")
    adapter.activate()
    adapter.addWithUUID(Ice.Object()).ice_pingAsync().result()
print(icegil.status().calls.references)
"""
STARTED = "import sys; print('icegil_startup' in sys.modules)"
SELF_TEST = "never_destroyed"
"""The scenario that shows whether it works: a communicator, traffic, and an exit without `destroy()`."""


@dataclass(frozen=True)
class Import:
    """One function that a library imports, and where its calls lead."""

    library: str
    name: str
    state: str
    """`"in place"`, `"taken by FILE"`, or why it could not be redirected."""
    needed: bool
    """Without it there is no guard. Of the others, libraries import some."""
    slots: int = 0
    writable_before: int = 0
    """Slots on pages that could be written to before."""
    writable_now: int = 0
    was_redirected_by: tuple[str, ...] = ()
    """Files of the tools that had redirected it before icegil did."""

    @property
    def is_wrong(self) -> bool:
        """Whether calls that should lead to icegil do not."""
        return self.state != "in place" and (self.needed or self.state != NOT_IMPORTED)


@dataclass
class Diagnosis:
    """All that was found out."""

    icegil: str = versions.ICEGIL
    python: str = ""
    executable: str = ""
    platform: str = ""
    ice: str = ""
    """Version of zeroc-ice; empty if it cannot be used."""
    icepy: str = ""
    ice_runtime: tuple[str, ...] = ()
    """Files of the libraries that hold the Ice runtime."""
    build: str = ""
    mode: str = "off"
    settings: dict[str, dict[str, object]] = field(default_factory=dict)
    """Each setting's value, and where it came from."""
    imports: list[Import] = field(default_factory=list)
    references: str = ""
    """What IcePy does with the reference to the future of a call, as `icegil.status().calls.references`."""
    follows_variable: bool = False
    """Whether a process of this Python with `ICEGIL=1` in its environment guards Ice."""
    self_test: str = ""
    """Empty if it was not run; `"passed"`, or what went wrong."""
    self_test_seconds: float = 0.0
    self_test_stderr: str = ""
    problems: list[str] = field(default_factory=list)
    """What is not as it should be, in sentences."""

    @property
    def is_healthy(self) -> bool:
        """Whether the guard is on and the self-test was passed."""
        return self.mode == "guard" and self.self_test == "passed"


def diagnose() -> Diagnosis:
    """Installs icegil here, if it is not, with the settings of the environment, and examines what came of it."""
    found = Diagnosis(python=_python(), executable=sys.executable, platform=platform.platform())
    try:
        ice = _compat.import_ice()
    except (ImportError, IcegilError) as error:
        found.problems.append(_why_no_ice(error))
        return found
    _examine_ice(found, ice)
    before = MemoryMap()
    try:
        guard.install()
    except (ValueError, IcegilError) as error:
        found.problems.append(str(error))
        return found
    status = guard.status()
    found.mode = status.mode
    found.settings = {name: vars(setting) for name, setting in guard.settings_in_use().items()}
    if status.reason:
        found.problems.append(f"there is no guard: {status.reason}")
    else:
        _examine_imports(found, before, MemoryMap())
    found.follows_variable = _ask("-c", STARTED, ICEGIL="1") == "True"
    _test(found)
    if found.is_healthy:
        found.references = _see_one_call()
    return found


def _python() -> str:
    return f"{platform.python_implementation()} {platform.python_version()} ({platform.python_compiler()})"


def _why_no_ice(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == "Ice":
        return "zeroc-ice is not installed for this interpreter: pip install zeroc-ice"
    return str(error) if isinstance(error, IcegilError) else f"Ice cannot be imported: {error}"


def _examine_ice(found: Diagnosis, ice: ModuleType) -> None:
    found.ice = ice.stringVersion()
    found.icepy = sys.modules["IcePy"].__file__ or ""
    if not boundary.IS_COMPILED:
        return
    memory = MemoryMap()
    libraries = redirects.ice_libraries(_bridge.address_in_icepy())
    found.ice_runtime = tuple(memory.file_at(address) or name for name, address in libraries.items()) or (found.icepy,)
    found.build = (
        "a distribution's, with the runtime beside IcePy" if libraries else "PyPI's, with the runtime inside IcePy"
    )


def _examine_imports(found: Diagnosis, before: MemoryMap, now: MemoryMap) -> None:
    for function, redirect in redirects.known():
        found.imports.append(_examine_import(function, redirect, before, now))
    for each in found.imports:
        if each.is_wrong:
            found.problems.append(f"{each.name} in {each.library} does not lead to icegil: {each.state}")
        if each.writable_now > each.writable_before:
            found.problems.append(f"pages of {each.library} were left writable ({each.name})")
        found.problems += [
            f"{tool} had redirected {each.name} in {each.library} before; it does not see these calls any more"
            for tool in each.was_redirected_by
        ]


def _examine_import(
    function: redirects.Redirected, redirect: _bridge.Redirect, before: MemoryMap, now: MemoryMap
) -> Import:
    library = os.path.realpath(redirect.path or sys.executable)
    slots = redirect.slots
    if redirect.is_in_place:
        state = "in place"
    elif slots:
        state = f"taken by {', '.join(_takers(redirect, now))}"
    else:
        state = redirect.put()
    # An unbound slot leads back into its own library, to the code that binds it.
    own = {now.file_at(redirect.original), library}
    others = {now.file_at(previous) or hex(previous) for _, previous in slots} - own
    return Import(
        library=library,
        name=function.name,
        state=state,
        needed=function.is_needed,
        slots=len(slots),
        writable_before=sum(_is_writable(slot, before) for slot, _ in slots),
        writable_now=sum(_is_writable(slot, now) for slot, _ in slots),
        was_redirected_by=tuple(sorted(others)),
    )


def _takers(redirect: _bridge.Redirect, memory: MemoryMap) -> list[str]:
    """The files of the functions that the slots of a redirect hold now instead of the bridge's."""
    values = (ctypes.c_size_t.from_address(slot).value for slot, _ in redirect.slots)
    files = {memory.file_at(value) or hex(value) for value in values}
    return sorted(files - {os.path.realpath(_bridge.__file__)})


def _is_writable(address: int, memory: MemoryMap) -> bool:
    mapping = memory.at(address)
    return mapping is not None and mapping.is_writable


def _test(found: Diagnosis) -> None:
    scenario = read(SCENARIOS / f"{SELF_TEST}.py")
    settings = {name: value for name, value in os.environ.items() if name.startswith("ICEGIL_")}
    ending = run(command(scenario, guarded=True), scenario.within, settings)
    verdict = judge(ending, scenario)
    found.self_test = verdict.text or "passed"
    found.self_test_seconds = round(ending.seconds, 3)
    found.self_test_stderr = ending.stderr
    if verdict.text:
        found.problems.append(f"the self-test failed: {verdict.text}")


def _see_one_call() -> str:
    """What IcePy does with the reference to the future of a call; empty if that was not to be seen."""
    return _ask("-c", ONE_CALL)


def _ask(*words: str, **variables: str) -> str:
    """What a process of this Python prints."""
    ran = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return ran.stdout.strip()
