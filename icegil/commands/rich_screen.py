"""What people are shown on a terminal: tables in frames, colours and a bar, by rich. The only module that needs it."""

from __future__ import annotations

from typing import TextIO

import rich.box
import rich.table
import rich.text
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from icegil.commands.screen import Screen, Table, Text


class RichScreen(Screen):
    """A terminal. Tables are as wide as it is, and their cells folded to fit."""

    has_frames = True

    def __init__(self, file: TextIO) -> None:
        super().__init__(file)
        self.console = Console(file=file, highlight=False)

    def show(self, *things: Text | Table) -> None:
        for thing in things:
            self.console.print(_framed(thing) if isinstance(thing, Table) else _styled(thing))

    def bar(self, total: int) -> Bar | None:
        return Bar(self.console, total) if self.console.is_interactive else None


def _styled(text: Text) -> rich.text.Text:
    return rich.text.Text(text.words, style=text.style)


def _framed(table: Table) -> rich.table.Table:
    made = rich.table.Table(box=rich.box.ROUNDED, show_header=bool(table.headers))
    for header in table.headers:
        made.add_column(rich.text.Text(header), overflow="fold")
    for row in table.rows:
        made.add_row(*map(_styled, row))
    return made


class Bar:
    """How much is done, how long that took and how long the rest will take. It is gone when its `with` block ends."""

    def __init__(self, console: Console, total: int) -> None:
        self._progress = Progress(
            BarColumn(),
            TextColumn("{task.completed}/{task.total} runs"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[time_left]}", style="cyan"),
            TextColumn("{task.description}", style="dim"),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("", total=total, time_left="")

    def __enter__(self) -> None:
        self._progress.start()

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, done: int, description: str, time_left: str) -> None:
        self._progress.update(self._task, completed=done, description=description, time_left=time_left)
