"""The results as a table on the terminal."""

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.results import Result
from bench.samples import FAILED, MET, MISSED, NOISY, Target

TIMES = "\N{MULTIPLICATION SIGN}"
STYLES = {MET: "green", MISSED: "bold red", FAILED: "bold red", NOISY: "yellow"}


def show(results: Iterable[Result], machine: dict[str, str], console: Console) -> None:
    """All results, each beside its target, and under them where they were taken."""
    table = Table(box=box.SIMPLE_HEAD, title="icegil beside what is named; median, and quartiles in brackets")
    for column, how in (("", "left"), ("beside", "right"), ("icegil", "right"), ("ratio", "left")):
        table.add_column(column, justify=how)
    for column in ("target", "verdict", "instructions"):
        table.add_column(column)
    last = None
    remarks = []
    for result in results:
        if last is not None and result.row is not last:
            table.add_section()
        last = result.row
        table.add_row(*_cells(result))
        if result.remark:
            remarks.append(f"{result.row.name}: {result.remark}")
    console.print(table)
    for remark in dict.fromkeys(remarks):
        console.print(remark, style="yellow", highlight=False)
    console.print("Crashes and deadlocks are counted by `icegil torture`.", style="dim", highlight=False)
    for name, value in machine.items():
        console.print(f"{name}: {value}", style="dim", highlight=False)


def _cells(result: Result) -> list[str | Text]:
    figure, samples = result.figure, result.samples
    title = f"{result.row.name}: {figure.name}"
    verdict = Text(result.verdict, style=STYLES.get(result.verdict, ""))
    if samples is None:
        return [title, "", "", "", target_text(figure.target), verdict, ""]
    return [
        title,
        f"{result.row.beside_name(figure)} {amount(samples.beside, figure.unit)}",
        amount(samples.ours, figure.unit),
        _spread(result),
        target_text(figure.target),
        verdict,
        "" if result.instructions is None else f"{TIMES} {result.instructions:.2f}",
    ]


def _spread(result: Result) -> str:
    assert result.samples is not None
    ratio = result.figure.is_ratio
    if not ratio and len(result.samples.pairs) == 1:
        return ""
    low, middle, high = (f"{value:.2f}" if ratio else f"{value:.1f}" for value in result.samples.spread(ratio))
    return f"{middle} [{low} .. {high}]" + ("" if ratio else f" {result.figure.unit}")


def amount(value: float, unit: str) -> str:
    """A figure with its unit, to three digits or so."""
    return f"{value:,.0f}{unit}" if unit == "/s" else f"{value:.3g} {unit}" if value < 100 else f"{value:.0f} {unit}"


def target_text(target: Target | None) -> str:
    """The bound, as a sentence would have it."""
    if target is None:
        return ""
    return f"{'≥' if target.at_least else '≤'} {target.bound:g}" + ("" if target.of_ratio else " in all")
