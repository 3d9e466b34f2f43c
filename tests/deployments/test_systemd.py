"""The unit for systemd in docs: systemd takes it, and a server that is run and stopped by its settings ends well.

The figures of plain Ice beside these: `python tests/deployments/test_systemd.py -n 20`.
"""

import configparser
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from deployment import PROGRAMS, ROOT, WITHIN, Process, Runs, Side, check, compare, fixture, python
from echo import beside_echo, judged

import icegil.settings as settings

UNIT = next(
    unit
    for page in sorted((ROOT / "docs").glob("*.md"))
    for unit in re.findall(r"^```ini\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    if "[Service]" in unit
)
SERVICE = configparser.ConfigParser(interpolation=None)
SERVICE.optionxform = str  # type: ignore[assignment,method-assign]
SERVICE.read_string(UNIT)


def service(side: Side, folder: Path, echo: str) -> str:
    """Starts a server, and stops it as the unit says, with calls of its own under way."""
    with Process(folder, [python(), str(PROGRAMS / "service.py")], side, ECHO=echo) as server:
        server.wait_until(lambda: "ready\n" in server.stdout, "it is ready")
        server.send(signal.Signals[SERVICE["Service"]["KillSignal"]])
        return judged(server, 0, r"ready\n")


deployed = beside_echo({"systemd unit": service})
runs = fixture(deployed)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not there: package systemd")
def test_systemd_has_nothing_to_say_of_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "ice-server.service"
    program = SERVICE["Service"]["ExecStart"].split()[0]
    unit.write_text(UNIT.replace(program, sys.executable))
    said = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=WITHIN)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
    assert program != sys.executable, "the unit names a program of its own"
    unit.write_text(UNIT.replace("KillSignal", "KillSignals").replace(program, sys.executable))
    assert "KillSignals" in subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True).stderr


def test_the_unit_asks_for_icegil_and_leaves_it_time() -> None:
    assert SERVICE["Service"]["Environment"] == "ICEGIL=1"
    assert float(SERVICE["Service"]["TimeoutStopSec"]) > settings.DRAIN_TIMEOUT


def test_a_server_that_is_stopped_as_the_unit_says_ends_with_status_0_in_silence(runs: Runs) -> None:
    check(runs["systemd unit"])


if __name__ == "__main__":
    sys.exit(compare(deployed))
