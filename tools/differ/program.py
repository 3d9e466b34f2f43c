"""A program: which parts it has, in what order, and its text. A seed decides all of it."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from textwrap import dedent, indent
from typing import TypeVar

from icegil.commands.words import StrEnum
from tools.differ.destructions import DESTRUCTIONS
from tools.differ.endings import ENDINGS
from tools.differ.part import Destruction, Ending, Part, Target
from tools.differ.parts import PARTS

Choice = TypeVar("Choice", Part, Destruction, Ending)

MOST_PARTS = 7

LEFT_ALONE = 0.9
"""How often a program in which something is stuck leaves its communicators alone: to destroy them is to stand still."""

MODULES = frozenset(
    {
        "_thread",
        "asyncio",
        "atexit",
        "builtins",
        "contextlib",
        "contextvars",
        "ctypes",
        "faulthandler",
        "gc",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "queue",
        "resource",
        "select",
        "signal",
        "socket",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "tracemalloc",
        "warnings",
        "weakref",
    }
)
"""What a program imports when a line of it has the name."""

IMPORT = "import Ice"

FRAME = """
EMPTY = bytes([6, 0, 0, 0, 1, 1])  # an encapsulation with nothing in it
NORMAL = Ice.OperationMode.Normal
operations = {}  # what the servant does, by the name of the operation
communicators = []  # those to destroy


class Servant(Ice.Blobject):
    def ice_invoke(self, arguments, current):
        if current.operation in operations:
            operations[current.operation]()
        return True, EMPTY


def communicator(data, settings):
    data.properties = Ice.createProperties()
    for name, value in settings.items():
        data.properties.setProperty(name, str(value))
    made = INITIALIZE
    communicators.append(made)
    return made


def serve(name, servant):
    there = adapter.add(servant, Ice.stringToIdentity(name)).ice_collocationOptimized(False)
    return client.stringToProxy(str(there)).ice_collocationOptimized(False)


def call(operation, to=None):
    return (to or proxy).ice_invoke(operation, NORMAL, EMPTY)


def call_async(operation, to=None):
    CALL_ASYNC


quiet = {"Ice.Warn.Dispatch": 0, "Ice.Warn.Connections": 0}
settings = {"Ice.ThreadPool.Server.Size": 4, "Ice.ThreadPool.Client.Size": 2, **quiet}
data = Ice.InitializationData()
"""

CALL_ASYNC = "return (to or proxy).ice_invokeAsync(operation, NORMAL, EMPTY)"
# What stands there on Ice 3.6, which has no futures; a request without an answer is never done.
CALL_ASYNC_36 = """
    from concurrent.futures import Future

    future = Future()
    future.request = (to or proxy).begin_ice_invoke(
        operation, NORMAL, EMPTY, lambda *answer: future.set_result(answer), future.set_exception
    )
    return future
"""
LATER = re.compile(
    r"Ice\.(wrap_future|Future)|[a-z]Async\(\)|executor|thread(Start|Stop)|CloseCallback|sent_callback|gather\(\*\[call_async"
)
"""What Ice 3.6 has not, and the future above neither."""

COMMUNICATORS = """
ice = communicator(data, settings)
client = CLIENT
adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
adapter.activate()
proxy = serve("servant", Servant())
call("begin")
"""


class Way(StrEnum):
    """How a program comes to be guarded."""

    RUN = "icegil run"
    VARIABLE = "ICEGIL=1"
    IMPORT = "from icegil import Ice"


@dataclass(frozen=True)
class Program:
    """One program."""

    seed: int
    """Decides what is chosen inside the parts, too."""
    target: Target
    parts: tuple[Part, ...]
    destruction: Destruction
    ending: Ending
    way: Way
    has_client: bool
    """Requests come from a communicator of their own."""
    imports_first: bool
    """Other modules are imported before Ice."""
    destroys_at_last: bool
    """The destruction is in a `finally` around the ending."""

    @property
    def options(self) -> list[str]:
        """Python's own."""
        return [option for part in self.parts for option in part.options]

    @property
    def is_stuck(self) -> bool:
        """Whether a part of it never ends."""
        return any(part.is_stuck for part in self.parts)

    @property
    def may_stand_still(self) -> bool:
        """Whether it may do so plain by its own doing."""
        return any(part.is_stuck or part.may_stand_still for part in self.parts)

    @property
    def names(self) -> str:
        """What it consists of, in one line."""
        return ", ".join([*(part.name for part in self.parts), self.destruction.name, self.ending.name])

    @cached_property
    def text(self) -> str:
        """The program as plain Python runs it."""
        return self._text(IMPORT)

    @cached_property
    def guarded_text(self) -> str:
        """The program as it is run guarded."""
        return self._text(Way.IMPORT.value if self.way is Way.IMPORT else IMPORT)

    def _text(self, import_line: str) -> str:
        early = self._early()
        late = self._late()
        above = _modules(early + late if self.imports_first else early)
        below = _modules(late) - above
        imported = [_imports(above) + early + "\n" + import_line + "\n" + _imports(below)]
        if any(part.spawns for part in self.parts):
            late = "if __name__ == '__main__':\n" + indent(late, "    ")
        return "\n".join([self._docstring, *imported, late])

    @property
    def _docstring(self) -> str:
        lines = [f"{part.name}\n" for part in (*self.parts, self.destruction, self.ending)]
        return f'"""Seed {self.seed}; ends with status {self.ending.status}.\n\n{"".join(lines)}"""\n'

    def _early(self) -> str:
        chosen = [self._chosen(each.name, each.early) for each in (*self.parts, self.destruction, self.ending)]
        return "".join(chosen)

    def _late(self) -> str:
        is_new = self.target.ice >= 30800
        frame = FRAME.replace("CALL_ASYNC", (CALL_ASYNC if self.target.ice >= 30700 else CALL_ASYNC_36).strip())
        frame = frame.replace("INITIALIZE", f"Ice.{'Communicator(initData=data)' if is_new else 'initialize(data)'}")
        client = "communicator(Ice.InitializationData(), quiet)" if self.has_client else "ice"
        lines = [frame, *(self._chosen(part.name, part.data) for part in self.parts)]
        lines += [COMMUNICATORS.replace("CLIENT", client), self._chosen(self.destruction.name, self.destruction.before)]
        lines += [self._chosen(part.name, part.body) for part in self.parts]
        return "".join([*lines, self._end()])

    def _end(self) -> str:
        last = self._chosen(self.destruction.name, self.destruction.last)
        end = self._chosen(self.ending.name, self.ending.body)
        if last and (self.destroys_at_last or self.ending.uses_ice):
            return "\ntry:\n" + indent(end.lstrip("\n") or "pass\n", "    ") + "finally:\n" + indent(last[1:], "    ")
        return last + end

    def _chosen(self, name: str, text: str) -> str:
        """The lines of a part, an empty line before them, with what the seed chooses in them."""
        if not text:
            return ""
        drawn = random.Random(f"{self.seed} {name}")
        text = re.sub(r"\{\{(.+?)\}\}", lambda found: drawn.choice(found[1].split("|")), text)
        return "\n" + dedent(text).strip("\n") + "\n"

    def without(self, names: Iterable[str]) -> Program:
        """The same program less the parts of these names."""
        unwanted = set(names)
        return replace(self, parts=tuple(part for part in self.parts if part.name not in unwanted))


def _modules(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)} & MODULES


def _imports(modules: set[str]) -> str:
    return "".join(f"import {name}\n" for name in sorted(modules))


def draw(seed: int, target: Target) -> Program:
    """The program of this seed. On another pair it is the same one, but for what that pair has no use for."""
    drawn = random.Random(f"program {seed}")
    ending = _one_of(drawn, ENDINGS, target)
    parts = _parts(drawn, target)
    destruction = _one_of(drawn, DESTRUCTIONS, target)
    if drawn.random() < LEFT_ALONE and any(part.is_stuck for part in parts):
        destruction = DESTRUCTIONS[0]
    way = drawn.choice([*Way])
    booleans = [drawn.random() < 1 / 2 for _ in range(3)]
    return Program(seed, target, parts, destruction, ending, way, *booleans)


def _one_of(drawn: random.Random, choices: list[Choice], target: Target) -> Choice:
    return next(each for each in _shuffled(drawn, choices) if _suits(each, target))


def _suits(choice: Part | Destruction | Ending, target: Target) -> bool:
    if not target.has(choice.need):
        return False
    return target.ice >= 30700 or not any(LATER.search(text) for text in vars(choice).values() if isinstance(text, str))


def _parts(drawn: random.Random, target: Target) -> tuple[Part, ...]:
    groups: set[str] = set()
    found = []
    for part in _shuffled(drawn, PARTS)[: drawn.randint(1, MOST_PARTS)]:
        is_alone = not part.group or part.group not in groups
        if _suits(part, target) and is_alone and not any(_wait_for_each_other(part, each) for each in found):
            groups.add(part.group)
            found.append(part)
    drawn.shuffle(found)
    return tuple(found)


def _wait_for_each_other(one: Part, other: Part) -> bool:
    return (one.prints and other.flushes_in_child) or (one.flushes_in_child and other.prints)


def _shuffled(drawn: random.Random, choices: list[Choice]) -> list[Choice]:
    """In an order that favours the weights (Efraimidis and Spirakis: sampling without replacement)."""
    return sorted(choices, key=lambda each: -(drawn.random() ** (1 / each.weight)))
