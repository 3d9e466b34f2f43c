"""What people are shown: with frames and colours on a terminal where rich is installed, elsewhere as plain lines."""

from __future__ import annotations

import io
import itertools
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from icegil.commands.rich_screen import Bar


@dataclass(frozen=True)
class Text:
    """Some words, and how rich shows them."""

    words: str = ""
    style: str = ""


class Table:
    """Rows of cells, below headers if there are any. A cell may have several lines."""

    def __init__(self, *headers: str) -> None:
        self.headers = headers
        self.rows: list[tuple[Text, ...]] = []

    def add_row(self, *cells: Text) -> None:
        self.rows.append(cells)


class Screen:
    """Plain lines, which are neither cut nor folded: for a pipe, and for a terminal if there is no rich."""

    has_frames = False

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def show(self, *things: Text | Table) -> None:
        """Prints one thing below the other. No line ends in spaces. SystemExit: nobody reads any more."""
        try:
            for thing in things:
                for line in _lines(thing) if isinstance(thing, Table) else thing.words.split("\n"):
                    print(line.rstrip(), file=self.file)
            self.file.flush()
        except BrokenPipeError:  # `| head`
            # What is left in the buffer, Python would write as it ends, and complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())
            sys.exit(1)

    def bar(self, total: int) -> Bar | None:
        """A bar that shows how much of `total` is done; None where what was printed stays as it is."""
        return None


def _lines(table: Table) -> Iterator[str]:
    """The table, a line for each row and each further line of a cell, its columns apart by two spaces."""
    lines = [table.headers] if table.headers else []
    for row in table.rows:
        lines += itertools.zip_longest(*(cell.words.split("\n") for cell in row), fillvalue="")
    widths = [max(map(len, column)) for column in itertools.zip_longest(*lines, fillvalue="")]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False))


def on(file: TextIO) -> Screen:
    """The screen that stands for `sys.stdout` or `sys.stderr`."""
    if isinstance(file, io.TextIOWrapper):
        file.reconfigure(errors="backslashreplace")  # what programs print may be in any script
    try:
        # rich is an extra: what goes into a server needs as little else as can be.
        from icegil.commands.rich_screen import RichScreen
    except ImportError:
        return Screen(file)
    framed = RichScreen(file)
    return framed if framed.console.is_terminal else Screen(file)
