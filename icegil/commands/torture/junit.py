"""The results of a campaign as JUnit XML: a test case for each scenario and side."""

import platform
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from icegil.commands.torture.results import Cell, Results, Side
from icegil.commands.xml_text import writable


def junit(results: Results) -> str:
    """An XML document. A test case fails if one of its runs fell short; it is skipped if none was made."""
    root = Element("testsuites", {"name": "icegil torture", **_counts(results.cells)})
    for side in results.sides:
        cells = results.of(side)
        where_and_when = {
            "name": str(side),
            "timestamp": results.begun.strftime("%Y-%m-%dT%H:%M:%S"),
            "hostname": platform.node() or "localhost",
        }
        suite = SubElement(root, "testsuite", {**where_and_when, **_counts(cells)})
        properties = SubElement(suite, "properties")
        for name, value in results.facts.items():
            SubElement(properties, "property", name=name, value=value)
        for cell in cells:
            _add_case(suite, cell, side)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _add_case(suite: Element, cell: Cell, side: Side) -> None:
    case = SubElement(suite, "testcase", classname=f"torture.{side}", name=cell.scenario.name, time=_seconds([cell]))
    if not cell.runs:
        SubElement(case, "skipped", message=cell.skipped or "the campaign was stopped before")
    elif cell.short:
        worst = cell.short[0]
        message = f"{cell.text}: {worst.message}"
        failure = SubElement(case, "failure", type=str(worst.verdict.kind), message=writable(message))
        failure.text = writable("\n\n".join(f"{run.verdict.text}\n{run.stderr}".rstrip() for run in cell.short))


def _counts(cells: list[Cell]) -> dict[str, str]:
    return {
        "tests": str(len(cells)),
        "failures": str(sum(bool(cell.short) for cell in cells)),
        "errors": "0",
        "skipped": str(sum(not cell.runs for cell in cells)),
        "time": _seconds(cells),
    }


def _seconds(cells: list[Cell]) -> str:
    return f"{sum(run.seconds for cell in cells for run in cell.runs):.3f}"
