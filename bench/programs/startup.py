"""What icegil.pth costs a process as Python starts, and the import of Ice in one that has asked.

`with` or `without` it. The lines of a .pth file are run here by the function of `site` that does so at a start.
"""

import json
import os
import site
import statistics
import sys
import tempfile
import time
from pathlib import Path

STARTUP = Path(__file__).resolve().parents[2] / "startup"
TIMES = 200


def microseconds(function, *arguments):
    begun = time.perf_counter()
    function(*arguments)
    return 1e6 * (time.perf_counter() - begun)


def import_ice():
    import Ice  # noqa: F401


with tempfile.TemporaryDirectory() as folder:
    if sys.argv[1] == "without":
        Path(folder, "icegil.pth").touch()
    else:
        Path(folder, "icegil.pth").write_bytes((STARTUP / "icegil.pth").read_bytes())
    read = (site.addpackage, folder, "icegil.pth", set())
    not_asked = statistics.median(microseconds(*read) for _ in range(TIMES))
    os.environ["ICEGIL"] = "1"
    figures = {"not_asked_us": not_asked, "asked_us": microseconds(*read), "import_ms": microseconds(import_ice) / 1000}
print(json.dumps(figures))
