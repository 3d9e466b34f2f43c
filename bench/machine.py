"""Where and with what the figures were taken."""

import datetime
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import Ice
import pyperf

import icegil


def describe() -> dict[str, str]:
    """What somebody must know who compares these figures with others."""
    known = _metadata()
    return {
        "processor": str(known.get("cpu_model_name", platform.machine())),
        "cores": str(known.get("cpu_count", "unknown")),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}, {platform.python_compiler()}",
        "ice": Ice.stringVersion(),
        "icegil": icegil.__version__,
        "load": f"{known.get('load_avg_1min', 0.0):.2f}",
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    }


def in_short(machine: dict[str, str]) -> str:
    """One line of it, for under a picture."""
    python = machine["python"].partition(",")[0]
    versions = f"{python}, Ice {machine['ice']}, icegil {machine['icegil']}"
    return f"{machine['processor']}, {machine['cores']} cores · {versions} · {machine['date'].partition(' ')[0]}"


def _metadata() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "metadata.json")
        command = [sys.executable, "-m", "pyperf", "collect_metadata", "--output", str(file)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return dict(pyperf.BenchmarkSuite.load(str(file)).get_metadata())
