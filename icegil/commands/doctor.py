"""The `icegil doctor` command: says what is installed, what is guarded, what is not and why, and whether it works."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import icegil.commands.screen as screen
from icegil.commands.diagnosis import Diagnosis, Import, diagnose
from icegil.commands.screen import Table, Text

GOOD, BAD, DIM = "green", "bold red", "dim"

FOLLOWED = "guards each process of this Python that imports Ice"
NOT_FOLLOWED = "does nothing: icegil.pth is in no folder that this Python looks through as it starts; pip puts it there"


def doctor(as_json: bool) -> None:
    """Examines this process and a child of it, and says what was found. SystemExit: 0 if all is well, else 1."""
    found = diagnose()
    if as_json:
        print(json.dumps({"healthy": found.is_healthy, **asdict(found)}, indent=2))
    else:
        _show(found)
    sys.exit(0 if found.is_healthy else 1)


def _show(found: Diagnosis) -> None:
    stdout = screen.on(sys.stdout)
    things: list[Text | Table] = [_headline(found), Text(), _facts(found)]
    if found.imports:
        things += [Text(), Text("Where the imports lead"), _imports(found, stdout.has_frames)]
    if found.problems:
        things += [Text(), *(Text(f"! {problem}", style=BAD) for problem in found.problems)]
    if found.self_test not in ("", "passed") and found.self_test_stderr:
        things += [Text(), Text(f"What the self-test wrote on stderr:\n{found.self_test_stderr}", style=DIM)]
    stdout.show(*things)


def _headline(found: Diagnosis) -> Text:
    if found.is_healthy:
        return Text(f"icegil {found.icegil} guards Ice here, and it works.", style=f"bold {GOOD}")
    if found.mode == "off":
        return Text(f"icegil {found.icegil} cannot do anything here.", style=BAD)
    text = "it does not work" if found.mode == "guard" else "there is no guard, communicators are destroyed at exit"
    return Text(f"icegil {found.icegil} is installed, but {text}.", style=BAD)


def _facts(found: Diagnosis) -> Table:
    facts = Table()
    facts.add_row(Text("Python"), Text(f"{found.python}\n{found.executable}"))
    facts.add_row(Text("platform"), Text(found.platform))
    if found.ice:
        facts.add_row(Text("zeroc-ice"), Text(", ".join(filter(None, (found.ice, found.build)))))
        facts.add_row(Text("IcePy"), Text(found.icepy))
        facts.add_row(Text("Ice runtime"), Text("\n".join(found.ice_runtime)))
    else:
        facts.add_row(Text("zeroc-ice"), Text("none that can be used", style=BAD))
    facts.add_row(Text("mode"), Text(found.mode, style=GOOD if found.mode == "guard" else BAD))
    for name, setting in found.settings.items():
        facts.add_row(Text(f"setting {name}"), Text(f"{_value(setting)} ({_origin(name, setting)})"))
    if found.mode != "off":
        facts.add_row(Text("ICEGIL=1"), Text(FOLLOWED if found.follows_variable else NOT_FOLLOWED))
    if found.references == "one too many":
        facts.add_row(Text("asynchronous calls"), Text("IcePy keeps each one's future for good; that is given back"))
    if found.self_test:
        text = f"a program that never destroys its communicator, {found.self_test_seconds:.2f} s: {found.self_test}"
        facts.add_row(Text("self-test"), Text(text, style=GOOD if found.self_test == "passed" else BAD))
    return facts


def _value(setting: dict[str, object]) -> str:
    value = setting["value"]
    return (", ".join(value) or "nothing") if isinstance(value, tuple) else str(value)


def _origin(name: str, setting: dict[str, object]) -> str:
    if setting["source"] == "environment":
        return f"the environment's ICEGIL_{name.upper()}"
    if setting["source"] == "properties":
        return "a communicator's properties"
    return "the default" if setting["source"] == "default" else "from the call of install()"


def _imports(found: Diagnosis, has_frames: bool) -> Table:
    imports = Table("library", "function", "leads to icegil", "its pages")
    libraries = list(dict.fromkeys(each.library for each in found.imports))
    last = ""
    # Each library imports some of the functions in which Ice may wait, and none of them all.
    shown = [each for each in found.imports if each.slots or each.is_wrong]
    for each in sorted(shown, key=lambda each: libraries.index(each.library)):
        library = each.library.rpartition("/")[2]
        imports.add_row(
            Text(library if library != last or not has_frames else ""),
            Text(each.name),
            _state(each),
            _pages(each),
        )
        last = library
    return imports


def _state(each: Import) -> Text:
    if each.state == "in place":
        return Text("yes", style=GOOD)
    return Text(f"no: {each.state}", style=BAD)


def _pages(each: Import) -> Text:
    if each.slots == 0:
        return Text()
    if each.writable_now > each.writable_before:
        return Text("left writable", style=BAD)
    if each.writable_now:
        return Text("writable, as they were", style=DIM)
    return Text("read-only again", style=GOOD)
