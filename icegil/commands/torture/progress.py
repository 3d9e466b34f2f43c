"""How far a campaign has come: a bar with the time left on a terminal, a line now and then elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from icegil.commands.torture.campaign import Campaign
from icegil.commands.torture.results import Cell, Run, Side

LINES = 10
"""About how many lines a campaign prints where there is no terminal, beside those on runs that fell short."""


class _Watcher:
    """What is told of each run as it ends."""

    def __init__(self, console: Console, campaign: Campaign) -> None:
        self.console = console
        self.campaign = campaign

    def __call__(self, cell: Cell, run: Run) -> None:
        if cell.side is Side.GUARDED and not run.is_good:
            text = f"icegil falls short in {cell.scenario.name}: {run.verdict.text}"
            self.console.print(Text(text, style="bold red"))
        self.show()

    def show(self) -> None:
        raise NotImplementedError

    def score(self) -> str:
        """How many runs of each side ended well."""
        results = self.campaign.results
        scores = ((side, *results.score(side)) for side in results.sides)
        return ", ".join(f"{side} {good}/{runs} ok" for side, good, runs in scores)

    def time_left(self) -> str:
        seconds = self.campaign.seconds_left
        if seconds is None:
            return ""
        minutes, seconds = divmod(round(seconds), 60)
        return f"about {minutes}:{seconds:02} left"


class _Bar(_Watcher):
    def __init__(self, console: Console, campaign: Campaign) -> None:
        super().__init__(console, campaign)
        self.progress = Progress(
            BarColumn(),
            TextColumn("{task.completed}/{task.total} runs"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[time_left]}", style="cyan"),
            TextColumn("{task.description}", style="dim"),
            console=console,
            transient=True,
        )
        self.task = self.progress.add_task("", total=campaign.total, time_left="")

    def show(self) -> None:
        self.progress.update(
            self.task,
            completed=self.campaign.done,
            total=self.campaign.total,
            description=self.score(),
            time_left=self.time_left(),
        )


class _Lines(_Watcher):
    def show(self) -> None:
        done, total = self.campaign.done, self.campaign.total
        if done == total or done % max(1, total // LINES) == 0:
            self.console.print(Text(f"{done}/{total} runs, {self.score()}, {self.time_left()}"))


@contextmanager
def watching(campaign: Campaign, console: Console) -> Iterator[_Watcher]:
    """Shows how far it has come, as long as the caller hands on what `Campaign.run` tells."""
    if not console.is_interactive:
        yield _Lines(console, campaign)
        return
    bar = _Bar(console, campaign)
    with bar.progress:
        yield bar
