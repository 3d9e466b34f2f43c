"""The console that people look at: as wide as a terminal is, and as wide as the text is where there is none."""

from __future__ import annotations

import io
from typing import TextIO

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

_ENDLESS = 10_000  # columns


def console(file: TextIO) -> Console:
    """A console on `sys.stdout` or `sys.stderr`. Where there is no terminal, lines are not cut or folded."""
    if isinstance(file, io.TextIOWrapper):
        file.reconfigure(errors="backslashreplace")  # what programs print may be in any script
    made = Console(file=file, highlight=False)
    return made if made.is_terminal else Console(file=file, highlight=False, width=_ENDLESS)


def table(on: Console, *headers: str) -> Table:
    """An empty table, framed on a terminal; in a pipe a line for each row, its cells apart by spaces."""
    made = Table(
        box=box.ROUNDED if on.is_terminal else None,
        padding=(0, 1) if on.is_terminal else (0, 2, 0, 0),
    )
    for header in headers:
        made.add_column(Text(header), overflow="fold")
    return made


def show(on: Console, *things: RenderableType) -> None:
    """Prints one thing below the other. In a pipe, no line ends in spaces."""
    if on.is_terminal:
        for thing in things:
            on.print(thing)
        return
    with on.capture() as capture:
        for thing in things:
            on.print(thing)
    for line in capture.get().splitlines():
        on.out(line.rstrip(), highlight=False)
