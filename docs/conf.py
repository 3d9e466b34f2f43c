"""How Sphinx makes the site from the pages in docs/: `make docs`. Needs neither icegil's extension nor Ice."""

import os
import sys
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the docstrings of this tree, whatever else is installed
os.environ["COLUMNS"] = "100"  # where argparse folds its lines

import icegil  # noqa: E402

project = "icegil"
author = "the authors of icegil"
version = release = icegil.__version__
copyright = f"{author}; GPL-2.0-or-later"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinxcontrib.autoprogram",
]
exclude_patterns = ["programs", "upstream"]  # what the pages link to

# The pages are read on GitHub too, which gives their headings the same anchors.
myst_heading_anchors = 4

# Every name in a signature leads somewhere, but for those of other projects: their sites cannot be asked.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", name) for name in (r"Ice\..+", r"collections\.abc\..+", r"os\.PathLike", r"types\..+", "path", "module")
]

autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
napoleon_google_docstring = False
default_role = "code"  # what stands in backticks in a docstring

highlight_language = "none"  # of blocks that name no language: commands of the shell

html_theme = "furo"
html_title = "icegil"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False


def leave_attributes_alone(app: object, what: str, *others: object) -> None:
    """Napoleon takes the words before a colon in the first line of an attribute's docstring for its type."""
    lines = others[-1]
    if what == "attribute" and isinstance(lines, list):
        lines[:0] = ["..", ""]  # an empty comment


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", leave_attributes_alone, priority=400)  # napoleon has 500
