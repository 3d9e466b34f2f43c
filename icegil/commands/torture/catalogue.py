"""What a scenario says of itself.

A scenario is a small program. Its docstring begins with its title; below it stand lines `name: value`:

    hazard: what goes wrong without icegil, in one line
    ends: how a good run ends: `status 0` (any number), or the name of the signal that kills it, as `SIGINT`
    stderr: a regular expression for all that may stand on stderr; without it, nothing may
    within: the seconds within which it ends, 20 without it; beyond that it is slow, far beyond (endings.py) it hangs
    drain: `--drain-timeout` of the guarded run, in seconds
    needs: names that `Ice` must have, separated by spaces; or `guard`, if mode `teardown` does not do
    tools: commands that must be there, separated by spaces
"""

import ast
import re
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

SCENARIOS = Path(__file__).parent / "scenarios"


@dataclass(frozen=True)
class Scenario:
    """One scenario; see the module's docstring for what the fields mean."""

    path: Path
    title: str
    hazard: str
    status: int
    """Exit status of a good run; `-n` for death by signal n, as `subprocess` has it."""
    stderr: str
    within: float
    """Seconds."""
    needs: tuple[str, ...]
    drain: float | None = None
    """Seconds."""
    tools: tuple[str, ...] = ()
    needs_guard: bool = False
    """Without the guard, in mode `teardown`, it falls short."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        return self.path.stem

    def missing(self, ice: ModuleType) -> str:
        """What it needs and is not there, in one line; empty if all is."""
        names = [name for name in self.needs if not hasattr(ice, name)]
        tools = [tool for tool in self.tools if shutil.which(tool) is None]
        lines = [f"Ice {ice.stringVersion()} has no {', '.join(names)}"] if names else []
        lines += [f"not installed: {', '.join(tools)}"] if tools else []
        return "; ".join(lines)


def read(path: Path) -> Scenario:
    """Reads a scenario's docstring. ValueError names what is missing or not understood."""
    docstring = ast.get_docstring(ast.parse(path.read_text(), path.name)) or ""
    title, _, rest = docstring.partition("\n")
    fields = dict(re.findall(r"^(hazard|ends|stderr|within|drain|needs|tools):[ ]+(.+)$", rest, re.MULTILINE))
    if not title or "hazard" not in fields or "ends" not in fields:
        raise ValueError(f"{path}: a scenario's docstring has a title and lines 'hazard: ...' and 'ends: ...'")
    needs = fields.get("needs", "").split()
    return Scenario(
        path=path,
        title=title.rstrip("."),
        hazard=fields["hazard"],
        status=_status(fields["ends"], path),
        stderr=fields.get("stderr", ""),
        within=float(fields.get("within", 20)),
        needs=tuple(name for name in needs if name != "guard"),
        needs_guard="guard" in needs,
        drain=float(fields["drain"]) if "drain" in fields else None,
        tools=tuple(fields.get("tools", "").split()),
    )


def _status(ends: str, path: Path) -> int:
    if found := re.fullmatch(r"status (\d+)", ends):
        return int(found[1])
    if ends in signal.Signals.__members__:
        return -signal.Signals[ends]
    raise ValueError(f"{path}: 'ends: {ends}' is neither 'status N' nor the name of a signal")


def scenarios(folder: Path = SCENARIOS) -> list[Scenario]:
    """All scenarios of a folder, by name. Files whose name begins with an underscore are what they share."""
    return [read(path) for path in sorted(folder.glob("*.py")) if not path.name.startswith("_")]
