"""A trace as one HTML file that needs nothing else: the picture, with zoom, pan and tooltips."""

from html import escape
from importlib import resources

from icegil.commands.timeline.drawing import svg
from icegil.commands.timeline.shutdown import Shutdown
from icegil.commands.timeline.time_axis import Window
from icegil.commands.timeline.trace import Trace
from icegil.commands.xml_text import writable

STYLE = """
:root { color-scheme: light dark }
body { margin: 0; height: 100vh; display: flex; flex-direction: column; background: #ffffff; color: #1f2328;
  font: 13px ui-sans-serif, system-ui, 'DejaVu Sans', sans-serif }
header { padding: 8px 20px; display: flex; gap: 6px; align-items: baseline; flex-wrap: wrap }
header p { margin: 0 0 0 10px; opacity: .75 }
button { font: inherit; min-width: 30px }
svg { flex: 1; min-height: 0; width: 100%; cursor: grab; touch-action: none; user-select: none }
svg:focus-visible { outline: 2px solid #2471a3; outline-offset: -2px }
.current { outline: 2px solid; outline-offset: 1px }
#tip { position: fixed; max-width: 26em; padding: 5px 9px; border-radius: 4px; background: #1f2328; color: #ffffff;
  white-space: pre-line; pointer-events: none }
@media (prefers-color-scheme: dark) {
  body { background: #0d1117; color: #e6edf3 }
  #tip { background: #e6edf3; color: #0d1117 }
}
"""


def html(trace: Trace, window: Window | None) -> str:
    """An HTML document with `svg()` of the same arguments in it."""
    script = resources.files("icegil.commands.timeline").joinpath("page.js").read_text(encoding="utf-8")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{escape(writable(Shutdown(trace).headline(trace)))}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<button id="in" aria-label="zoom in">+</button>
<button id="out" aria-label="zoom out">&minus;</button>
<button id="all">all</button>
<p>Wheel, + and &minus;: zoom. Drag, arrow keys: pan. 0: all. N, P: next and previous bar.</p>
</header>
{svg(trace, window)}<div id="tip" role="status" hidden></div>
<script>
{script}</script>
</body>
</html>
"""
