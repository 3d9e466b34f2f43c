"""How far a campaign has come: a bar with the time left on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from icegil.commands.screen import Screen, Text
from icegil.commands.torture.campaign import Campaign
from icegil.commands.torture.results import Cell, Run, Side

if TYPE_CHECKING:
    from icegil.commands.rich_screen import Bar

LINES = 10
"""About how many lines a campaign prints where there is no terminal, beside those on runs that fell short."""


class _Watcher:
    """What is told of each run as it ends."""

    def __init__(self, screen: Screen, campaign: Campaign) -> None:
        self.screen = screen
        self.campaign = campaign

    def __call__(self, cell: Cell, run: Run) -> None:
        if cell.side is Side.GUARDED and not run.is_good:
            text = f"icegil falls short in {cell.scenario.name}: {run.verdict.text}"
            self.screen.show(Text(text, style="bold red"))
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


class _OnBar(_Watcher):
    def __init__(self, screen: Screen, campaign: Campaign, bar: Bar) -> None:
        super().__init__(screen, campaign)
        self.bar = bar

    def show(self) -> None:
        self.bar.show(self.campaign.done, self.score(), self.time_left())


class _InLines(_Watcher):
    def show(self) -> None:
        done, total = self.campaign.done, self.campaign.total
        if done == total or done % max(1, total // LINES) == 0:
            self.screen.show(Text(f"{done}/{total} runs, {self.score()}, {self.time_left()}"))


@contextmanager
def watching(campaign: Campaign, screen: Screen) -> Iterator[_Watcher]:
    """Shows how far it has come, as long as the caller hands on what `Campaign.run` tells."""
    bar = screen.bar(campaign.total)
    if bar is None:
        yield _InLines(screen, campaign)
        return
    with bar:
        yield _OnBar(screen, campaign, bar)
