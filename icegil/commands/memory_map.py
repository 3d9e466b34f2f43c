"""What is mapped where in this process, as the kernel tells it: rights and files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_MAPS = Path("/proc/self/maps")
_LINE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)")


@dataclass(frozen=True)
class Mapping:
    """Some pages in a row."""

    begin: int
    end: int
    rights: str
    """As the kernel writes them: `"r--p"`."""
    path: str
    """The mapped file, or the kernel's name for it; empty if there is none."""

    @property
    def is_writable(self) -> bool:
        """Whether the program may write to it."""
        return "w" in self.rights


class MemoryMap:
    """The mappings at the time when this was made; none where the system has no `/proc`."""

    def __init__(self) -> None:
        lines = _MAPS.read_text().splitlines() if _MAPS.exists() else []
        found = (_LINE.fullmatch(line) for line in lines)
        self._mappings = [Mapping(int(m[1], 16), int(m[2], 16), m[3], m[4]) for m in found if m is not None]

    def at(self, address: int) -> Mapping | None:
        """The mapping that holds `address`."""
        return next((each for each in self._mappings if each.begin <= address < each.end), None)

    def file_at(self, address: int) -> str:
        """The file that is mapped at `address`, or what else the kernel calls it; empty if it is nameless."""
        mapping = self.at(address)
        return mapping.path if mapping is not None else ""
