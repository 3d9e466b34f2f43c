"""The few elements of SVG that a timeline is made of, and how they look."""

from xml.etree.ElementTree import Element, SubElement

from icegil.commands.xml_text import writable

LETTER = 6.7  # width of one at 12 pixels, about

# Told apart in any colour vision by lightness, and what held a shutdown up by its hatching too. It brings its own
# ground, so that it can be read wherever it is put; that ground follows the reader's preference.
STYLE = """
text { font-family: ui-sans-serif, system-ui, 'DejaVu Sans', sans-serif; font-size: 12px; fill: #1f2328 }
.ground { fill: #ffffff }
.title { font-size: 17px; font-weight: bold }
.head { font-size: 13px; font-weight: bold }
.small { font-size: 11px; fill: #59636e }
.bold { font-weight: bold }
.on { fill: #ffffff; font-weight: bold }
.warn { fill: #b3380f; font-weight: bold }
.halo { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round }
.open { fill: #eff9f1 } .draining { fill: #d3e3fb } .sealed { fill: #d5dae0 }
.flag { stroke: #57606a } .final { stroke: #1f2328; stroke-width: 2; stroke-dasharray: 5 3 }
.grid { stroke: #8c959f; stroke-opacity: .3 } .axis { stroke: #8c959f }
.part { fill: #8c959f; fill-opacity: .14 }
.cb { fill: #2471a3 } .many { fill: #2471a3; fill-opacity: .25 } .cut { fill: url(#cut) }
.cut0 { stop-color: #2471a3; stop-opacity: 0 } .cut1 { stop-color: #2471a3 }
.held { fill: #c5421d; stroke: #8f2c0e } .plate { fill: #ffffff; stroke: #c5421d }
.hatch { fill: url(#hatch) } .stripe { stroke: #ffffff; stroke-opacity: .28 }
.waits { fill: none; stroke: #57606a; stroke-dasharray: 3 3 }
.alive { fill: #a3adb8 } .destroying { fill: #d9a400 } .cap { stroke: #1f2328; stroke-width: 2 }
.mark { fill: none; stroke: #1f2328; stroke-width: 2 }
.asleep { stroke: #1f2328; stroke-width: 1.5; stroke-dasharray: 1 4 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .ground { fill: #0d1117 }
  .small { fill: #9198a1 }
  .on { fill: #ffffff }
  .warn { fill: #ff9a70 }
  .halo { stroke: #0d1117 }
  .open { fill: #0f1f17 } .draining { fill: #182c52 } .sealed { fill: #343b44 }
  .flag { stroke: #9198a1 } .final { stroke: #e6edf3 }
  .cb, .many { fill: #58a6e0 }
  .cut0, .cut1 { stop-color: #58a6e0 }
  .held { fill: #d4532b; stroke: #ff9a70 }
  .plate { fill: #0d1117; stroke: #ff9a70 }
  .waits { stroke: #9198a1 }
  .alive { fill: #6b7681 }
  .cap, .mark, .asleep { stroke: #e6edf3 }
}
"""


def document(width: float, title: str, description: str) -> Element:
    """An SVG document without contents. Its height is still to be set, with `set_height`."""
    made = Element("svg", xmlns="http://www.w3.org/2000/svg", width=number(width), role="img")
    SubElement(made, "title").text = writable(title)
    SubElement(made, "desc").text = writable(description)
    SubElement(made, "style").text = STYLE
    patterns = SubElement(made, "defs")
    hatch = SubElement(
        patterns,
        "pattern",
        {
            "id": "hatch",
            "width": "7",
            "height": "7",
            "patternUnits": "userSpaceOnUse",
            "patternTransform": "rotate(45)",
        },
    )
    SubElement(hatch, "line", {"y2": "7", "class": "stripe", "stroke-width": "6"})
    cut = SubElement(patterns, "linearGradient", id="cut")
    SubElement(cut, "stop", {"offset": "0", "class": "cut0"})
    SubElement(cut, "stop", {"offset": "1", "class": "cut1"})
    SubElement(made, "rect", {"class": "ground", "width": "100%", "height": "100%", "rx": "6"})
    return made


def set_height(svg: Element, height: float) -> None:
    svg.set("height", number(height))
    svg.set("viewBox", f"0 0 {svg.get('width')} {number(height)}")


def group(parent: Element, label: str) -> Element:
    """A group that screen readers, and the tooltip, call `label`."""
    return SubElement(parent, "g", {"aria-label": writable(label)})


def rectangle(parent: Element, place: tuple[float, float, float, float], look: str) -> Element:
    """`place`: left, top, width, height."""
    x, y, width, height = map(number, place)
    return SubElement(parent, "rect", {"x": x, "y": y, "width": width, "height": height, "class": look})


def path(parent: Element, commands: str, look: str) -> Element:
    return SubElement(parent, "path", {"d": commands, "class": look})


def vertical(parent: Element, x: float, top: float, bottom: float, look: str) -> Element:
    return path(parent, f"M{number(x)} {number(top)}V{number(bottom)}", look)


def horizontal(parent: Element, y: float, left: float, right: float, look: str) -> Element:
    return path(parent, f"M{number(left)} {number(y)}H{number(right)}", look)


def text(parent: Element, x: float, y: float, words: str, look: str = "", *, anchor: str = "start") -> Element:
    made = SubElement(parent, "text", x=number(x), y=number(y))
    if look:
        made.set("class", look)
    if anchor != "start":
        made.set("text-anchor", anchor)
    made.text = writable(words)
    return made


def note(element: Element, words: str) -> None:
    """What a pointer that rests on the element is told."""
    SubElement(element, "title").text = writable(words)


def number(value: float) -> str:
    """To a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")


def counted(count: int, name: str) -> str:
    return f"{count} {name}" + "s" * (count != 1)


def shortened(words: str, letters: int) -> str:
    """Its end tells more than its beginning: a number, or a line of a file."""
    return words if len(words) <= letters else "…" + words[-max(letters - 1, 1) :]
