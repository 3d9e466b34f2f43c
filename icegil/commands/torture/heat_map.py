"""The results of a campaign as a picture: a row for each scenario, a column for each side, blue where all is well."""

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from icegil.commands.torture.results import Cell, Results
from icegil.commands.xml_text import writable

ROW = 22
GAP = 3
MARGIN = 20
CELL_WIDTH = 250
LETTER = 6.7  # width of one at 12 pixels, about
MOST_LETTERS = 40  # in a cell
FONT = "font-family: ui-sans-serif, system-ui, 'DejaVu Sans', sans-serif"

# Told apart in any colour vision, and on white and black alike; each cell brings the colour of its text.
WORST, NEARLY_ALL, ALL = (197, 66, 29), (245, 222, 170), (36, 113, 163)
NOTHING = (101, 109, 118)

# It brings its own ground, so that it can be read wherever it is put; that ground follows the reader's preference.
STYLE = f"""
text {{ {FONT}; font-size: 12px; fill: #1f2328 }}
.ground {{ fill: #ffffff }}
.title {{ font-size: 16px; font-weight: bold }}
.head {{ font-weight: bold }}
.small {{ font-size: 11px; fill: #59636e }}
.light {{ fill: #ffffff }}
.dark {{ fill: #1f2328 }}
@media (prefers-color-scheme: dark) {{
  text {{ fill: #e6edf3 }}
  .ground {{ fill: #0d1117 }}
  .small {{ fill: #9198a1 }}
}}
"""


def heat_map(results: Results) -> str:
    """An SVG document."""
    rows = results.rows
    names_width = max([100.0, *(len(cell.scenario.name) * LETTER for cell in results.cells)]) + 12
    lefts = {side: MARGIN + names_width + i * (CELL_WIDTH + GAP) for i, side in enumerate(results.sides)}
    width = max(MARGIN + names_width + len(lefts) * (CELL_WIDTH + GAP) - GAP + MARGIN, 480.0)
    top = 100.0
    height = top + len(rows) * (ROW + GAP) + 44 + MARGIN
    svg = Element(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        width=f"{width:g}",
        height=f"{height:g}",
        role="img",
    )
    SubElement(svg, "title").text = "How the scenarios end, plain and with icegil"
    SubElement(svg, "style").text = STYLE
    SubElement(svg, "rect", {"class": "ground", "width": "100%", "height": "100%", "rx": "6"})
    _text(svg, MARGIN, 36, "How the scenarios end", "title")
    _text(svg, MARGIN, 56, _subtitle(results), "small")
    for side, left in lefts.items():
        good, runs = results.score(side)
        _text(svg, left + CELL_WIDTH / 2, 88, f"{side}: {good} of {runs} runs ended well", "head", centred=True)
    for i, row in enumerate(rows):
        y = top + i * (ROW + GAP)
        scenario = next(iter(row.values())).scenario
        name = _text(svg, MARGIN, y + 15, scenario.name, "name")
        SubElement(name, "title").text = f"{scenario.title}: {scenario.hazard}"
        for side, cell in row.items():
            _cell(svg, lefts[side], y, cell)
    _legend(svg, top + len(rows) * (ROW + GAP) + 14)
    indent(svg)
    return tostring(svg, encoding="unicode") + "\n"


def _subtitle(results: Results) -> str:
    facts = results.facts
    text = f"{facts['implementation']} {facts['python']}, zeroc-ice {facts['zeroc-ice']}, icegil {facts['icegil']}; "
    text += f"{results.runs_each} runs each, {results.at_once} at once, {results.begun:%Y-%m-%d}"
    return text + ("; stopped before the end" if results.was_stopped else "")


def _cell(svg: Element, x: float, y: float, cell: Cell) -> None:
    colour = _colour(cell.good / len(cell.runs)) if cell.runs else NOTHING
    group = SubElement(svg, "g")
    if cell.short or cell.skipped:
        SubElement(group, "title").text = writable(cell.short[0].message if cell.short else cell.skipped)
    _rectangle(group, x, y, CELL_WIDTH, colour)
    shorter = re.sub(r" \(.*?\)", "", cell.text)  # without the names of signals
    texts = (cell.text, shorter, f"{cell.good} of {len(cell.runs)} ok")
    text = next((text for text in texts if len(text) <= MOST_LETTERS), texts[-1])
    _text(group, x + CELL_WIDTH / 2, y + 15, text, _text_class(colour), centred=True)


def _legend(svg: Element, y: float) -> None:
    _text(svg, MARGIN, y + 15, "runs that ended well:", "small")
    x = MARGIN + 130.0
    for share, text in ((0.0, "none"), (0.25, ""), (0.5, "half"), (0.75, ""), (0.99, "nearly"), (1.0, "all")):
        colour = _colour(share)
        _rectangle(svg, x, y, 48, colour)
        _text(svg, x + 24, y + 15, text, _text_class(colour), centred=True)
        x += 48


def _rectangle(parent: Element, x: float, y: float, width: float, colour: tuple[int, ...]) -> None:
    fill = "#" + "".join(f"{part:02x}" for part in colour)
    SubElement(parent, "rect", x=f"{x:g}", y=f"{y:g}", width=f"{width:g}", height=f"{ROW}", rx="3", fill=fill)


def _text(parent: Element, x: float, y: float, text: str, style: str, *, centred: bool = False) -> Element:
    made = SubElement(parent, "text", {"x": f"{x:g}", "y": f"{y:g}", "class": style})
    if centred:
        made.set("text-anchor", "middle")
    made.text = text
    return made


def _colour(share: float) -> tuple[int, ...]:
    """The paler the better; but all good is another colour, or one bad run in a hundred would not be seen."""
    if share == 1:
        return ALL
    return tuple(round(a + (b - a) * share) for a, b in zip(WORST, NEARLY_ALL, strict=True))


def _text_class(colour: tuple[int, ...]) -> str:
    red, green, blue = colour
    return "dark" if red * 0.299 + green * 0.587 + blue * 0.114 > 120 else "light"
