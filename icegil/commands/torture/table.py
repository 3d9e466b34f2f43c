"""The results of a campaign as a table for people."""

from textwrap import shorten

from icegil.commands.screen import Screen, Table, Text
from icegil.commands.torture.catalogue import Scenario
from icegil.commands.torture.results import Cell, Results, Side

LONGEST_MESSAGE = 120  # letters

# Plain programs are expected to end badly.
BAD = {Side.PLAIN: "yellow", Side.GUARDED: "bold red"}


def show(results: Results, screen: Screen) -> None:
    """Prints how each scenario ended on each side, and the totals."""
    facts = results.facts
    title = f"{facts['implementation']} {facts['python']}, zeroc-ice {facts['zeroc-ice']}, icegil {facts['icegil']}: "
    title += f"{results.runs_each} run{'s' * (results.runs_each > 1)} each"
    table = Table("scenario", *results.sides, "most telling message")
    for row in results.rows:
        scenario = next(iter(row.values())).scenario
        table.add_row(Text(scenario.name), *(_ending(cell) for cell in row.values()), _message(row))
    screen.show(Text(title), table, *_totals(results))


def _ending(cell: Cell) -> Text:
    if not cell.runs:
        return Text(cell.text, style="dim")
    if not cell.short:
        return Text(cell.text, style="green")
    return Text(cell.text, style=BAD[cell.side])


def _message(row: dict[Side, Cell]) -> Text:
    """Of a guarded run if one fell short, else of a plain one."""
    for side in (Side.GUARDED, Side.PLAIN):
        cell = row.get(side)
        if cell is not None and cell.short:
            text = shorten(cell.short[0].message, LONGEST_MESSAGE, placeholder=" ...")
            text += f"; {cell.skipped}" if cell.skipped else ""
            return Text(text, style="bold red" if side is Side.GUARDED else "")
    return Text(next(iter(row.values())).skipped, style="dim")


def _totals(results: Results) -> list[Text]:
    lines = []
    for side in results.sides:
        good, runs = results.score(side)
        style = "green" if good == runs else BAD[side]
        lines.append(Text(f"{side}: {good} of {runs} runs ended well", style=style))
    if results.was_stopped:
        planned = sum(cell.planned for cell in results.cells if not cell.skipped)
        made = sum(len(cell.runs) for cell in results.cells)
        lines.append(Text(f"stopped after {made} of {planned} runs", style="bold yellow"))
    return lines


def show_catalogue(scenarios: list[Scenario], screen: Screen) -> None:
    """Prints what the scenarios are called, what they do and what goes wrong without icegil."""
    table = Table("scenario", "what it does", "without icegil")
    for scenario in scenarios:
        table.add_row(Text(scenario.name), Text(scenario.title), Text(scenario.hazard, style="dim"))
    screen.show(Text(f"{len(scenarios)} scenarios"), table)
