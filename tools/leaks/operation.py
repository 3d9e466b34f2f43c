"""One kind of operation whose memory is measured, and the list of all."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

Work = Callable[[int], None]
"""Does so many operations, and comes back when all that belongs to them has been answered."""


@dataclass(frozen=True)
class Operation:
    """What it is called, what does it, and how often it is done between two readings."""

    name: str
    prepare: Callable[[], AbstractContextManager[Work]]
    count: int = 1000
    ice: tuple[str, ...] = ()
    """Names that Ice must have, with dots: where it does not, the operation is left out."""
    module: str = ""
    """A module that must be there."""
    known: str = ""
    """Why something is kept that only the C++ of Ice can let go. Then it does not fail a run."""

    @property
    def missing(self) -> str:
        """What of its needs is not there, in words, or nothing."""
        import Ice

        for name in self.ice:
            found: object = Ice
            for part in name.split("."):
                found = getattr(found, part, None)
            if found is None:
                return f"Ice {Ice.stringVersion()} has no {name}"
        if self.module and importlib.util.find_spec(self.module) is None:
            return f"no {self.module} is installed"
        return ""


OPERATIONS: dict[str, Operation] = {}
"""All kinds, by their names, in the order of the table. `tools.leaks.operations` fills it."""

Preparation = Callable[[], Iterator[Work]]


def operation(
    name: str, *, count: int = 1000, ice: tuple[str, ...] = (), module: str = "", known: str = ""
) -> Callable[[Preparation], Preparation]:
    """Adds a kind of operation: a generator that prepares, yields what does the work, and clears away."""

    def add(prepare: Preparation) -> Preparation:
        if name in OPERATIONS:
            raise ValueError(f"there are two operations named {name!r}")
        OPERATIONS[name] = Operation(name, contextmanager(prepare), count, ice, module, known)
        return prepare

    return add
