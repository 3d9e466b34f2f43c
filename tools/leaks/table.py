"""The results as a table: on a terminal, and for a page of the documentation."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Sequence

import Ice

import icegil
from icegil.commands.screen import Screen, Table, Text
from tools.leaks.children import Side
from tools.leaks.measuring import Kept
from tools.leaks.results import BYTES, OBJECTS, Result, Verdict

STYLES = {Verdict.KEEPS: "bold red", Verdict.FAILED: "bold red", Verdict.KNOWN: "yellow", Verdict.SKIPPED: "dim"}


def versions() -> str:
    """With what this was taken."""
    return f"CPython {platform.python_version()}, zeroc-ice {Ice.stringVersion()}, icegil {icegil.__version__}"


def show(results: Sequence[Result], screen: Screen) -> None:
    """All results, and under them how many there are of each kind."""
    table = Table("operation", "plain", "resident", "guarded", "resident", "")
    for result in results:
        *figures, verdict = _cells(result)
        table.add_row(*map(Text, figures), Text(verdict, STYLES.get(result.verdict, "")))
    verdicts = Counter(result.verdict for result in results)
    counts = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in Verdict if verdicts[verdict])
    note = f"Kept of each operation: bytes of malloc (and Python objects). Up to {BYTES:g} and {OBJECTS:g} is noise."
    screen.show(table, Text(note), Text(f"{versions()}: {counts}"))


def markdown(results: Sequence[Result]) -> str:
    """The same for a page: what must not be kept is bold, remarks stand under the table."""
    lines = [
        f"| {versions()} | plain: bytes (Python objects) | resident | guarded: bytes (Python objects) | resident |",
        "|---|---|---|---|---|",
    ]
    remarks = []
    for result in results:
        name, plain, resident, guarded, guarded_resident, remark = _cells(result)
        if result.verdict is Verdict.KEEPS:
            guarded = f"**{guarded}**"
        elif result.verdict is not Verdict.CLEAN:
            remarks.append(f"- {name}: {remark}")
        lines.append(f"| {name} | {plain} | {resident} | {guarded} | {guarded_resident} |")
    return "\n".join([*lines, "", *remarks, *([""] if remarks else [])])


def _cells(result: Result) -> list[str]:
    figures = [cell for side in Side for cell in _of_side(result.sides.get(side))]
    verdict = result.verdict
    remark = {Verdict.SKIPPED: result.missing, Verdict.KNOWN: result.operation.known}.get(verdict, "")
    failed = result.sides.get(Side.GUARDED)
    if verdict is Verdict.FAILED:
        remark = str(failed)
    return [result.operation.name, *figures, ": ".join(filter(None, [verdict.value, remark]))]


def _of_side(kept: Kept | str | None) -> tuple[str, str]:
    if kept is None:
        return "", ""
    if isinstance(kept, str):
        return kept.partition(":")[0], ""
    objects = f" ({kept.objects:.3g})" if abs(kept.objects) > OBJECTS else ""
    return f"{_bytes(kept.bytes)}{objects}", _bytes(kept.resident)


def _bytes(figure: float) -> str:
    """Without what is noise."""
    return "0" if abs(figure) <= BYTES else f"{figure:,.0f}"
