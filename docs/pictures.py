"""Makes the pictures of docs/seeing.md: what the programs in docs/programs really print and record. `make pictures`."""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich import _export_format
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

import icegil

DOCS = Path(__file__).parent
COLUMNS = 112
# As rich has it, but for the fonts that it would fetch from the network.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", _export_format.CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = shutil.copytree(DOCS / "programs", Path(name, "programs"))
        snapshot = "python -X dev snapshot.py & sleep 2; kill -USR1 $!; wait"
        draw("snapshot", "icegil.snapshot(), from a signal handler", [snapshot], folder)
        warnings = ["python -X dev forgetful.py", "python slow.py", "python closed_loop.py"]
        draw("warnings", "what icegil says by itself", warnings, folder)
        draw("pytest", "the pytest plug-in", ["pytest -q test_station.py"], folder)
        run("icegil run --drain-timeout 0.8 --trace timeline.json station.py", folder)
        timeline = folder / "timeline.json"
        timeline.write_text(timeline.read_text().replace(f"{folder}/", ""))
        run("icegil timeline timeline.json -o stuck-shutdown.svg", folder)
        shutil.copy(folder / "stuck-shutdown.svg", DOCS)


def run(command: str, folder: Path) -> str:
    """What a command of the shell prints, with file names in place of the paths of this machine."""
    commands = folder.parent / "bin"  # those of this interpreter, whatever else is installed here
    commands.mkdir(exist_ok=True)
    for name, words in {"python": "", "pytest": "-m pytest", "icegil": "-m icegil"}.items():
        (commands / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (commands / name).chmod(0o755)
    unwanted = ("ICEGIL_", "PYTHON", "PYTEST_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    environment |= {
        "PATH": f"{commands}:{environment['PATH']}",
        "PYTHONPATH": str(Path(icegil.__file__).parents[1]),
        "COLUMNS": str(COLUMNS),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "--color=yes -p icegil.pytest_plugin",
    }
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.stdout.replace(f"{folder}/", "").rstrip("\n")


def draw(name: str, title: str, commands: list[str], folder: Path) -> None:
    """Draws a terminal in which these commands were given."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for number, command in enumerate(commands):
        console.print(Text(("\n" if number else "") + f"$ {command}", "bold green"))
        console.print(*map(Text.from_ansi, run(command, folder).split("\n")), sep="\n")
    svg = console.export_svg(title=title, theme=DIMMED_MONOKAI, code_format=FORMAT, unique_id=name)
    (DOCS / f"{name}.svg").write_text(svg + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
