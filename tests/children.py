"""Runs Python as a user does who has icegil installed, with the modules that the scenarios share at hand."""

import os
import sys
from pathlib import Path

import icegil
from icegil.commands.torture.catalogue import SCENARIOS
from icegil.commands.torture.endings import Ending, run

ROOT = str(Path(icegil.__file__).parents[1])
PYTHONPATH = os.pathsep.join(filter(None, [str(SCENARIOS), ROOT, os.environ.get("PYTHONPATH")]))
WITHIN = 60  # seconds


def python(*words: str, within: float = WITHIN, **environment: str) -> Ending:
    """How `python` with these words ends, if it does within so many seconds."""
    return run([sys.executable, *words], within, {"PYTHONPATH": PYTHONPATH, **environment})
