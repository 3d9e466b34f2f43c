"""OMERO's own client on its own Ice: logged in to Debian's Glacier2, or to nobody, and left in every way.

The figures of plain Ice beside these: `python tests/test_omero.py -n 100`.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from children import ROOT

from icegil.commands.torture.endings import Ending, run

FOLDER = Path(__file__).parent / "omero"
RUNS = int(os.environ.get("RUNS", "5"))
WITHIN = 30  # seconds

ROUTER = """
Glacier2.InstanceName=OMERO.Glacier2
Glacier2.Client.Endpoints=tcp -h 127.0.0.1 -p {port}
Glacier2.Server.Endpoints=tcp -h 127.0.0.1
Glacier2.SessionManager={manager}
Glacier2.PermissionsVerifier=OMERO.Glacier2/NullPermissionsVerifier
"""

# How a program ends, and the status then.
ENDINGS = {
    "falls off the end": 0,
    "falls off the end, busy": 0,
    "exit": 3,
    "exit, busy": 3,
    "closed": 0,
    "closed, exit": 3,
    "error": 1,
    "error, busy": 1,
    "SIGTERM": 3,
    "SIGTERM, busy": 3,
    "SIGINT, busy": -2,
}

# What OMERO's client and Python themselves say, and the daemon thread whose session is gone.
ASKED_FOR = re.compile(
    r"""
    WARNING:omero\.client:\.\.Ignoring\ error\ in\ client\.__del__.*
    | Traceback\ \(most\ recent\ call\ last\):
    | (ValueError|KeyboardInterrupt).*
    | Exception\ in\ thread\ .*
    | (Ice\.)?(CommunicatorDestroyed|ConnectionLost|ObjectNotExist|ConnectionRefused)Exception.*
    | exception\ ::Ice::.*
    | \s.*
    | [{}]
    | !!.*communicator\ not\ destroyed\ during\ global\ destruction\.
    """,
    re.VERBOSE,
)


def _missing() -> str:
    probe = subprocess.run([sys.executable, "-c", "import omero, omero.clients"], capture_output=True, text=True)
    if probe.returncode != 0:
        return f"omero-py is not there: {probe.stderr.strip().splitlines()[-1]}"
    return "" if shutil.which("glacier2router") else "glacier2router is not there: apt-get install zeroc-glacier2"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int, process: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + WITHIN
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the router does not listen")


def _routed(folder: Path) -> Iterator[int]:
    """A router with sessions behind it; its port."""
    manager = subprocess.Popen([sys.executable, FOLDER / "sessions.py"], stdout=subprocess.PIPE, text=True)
    assert manager.stdout is not None
    port = _free_port()
    settings = folder / "glacier2.cfg"
    settings.write_text(ROUTER.format(port=port, manager=manager.stdout.readline().strip()))
    router = subprocess.Popen(["glacier2router", f"--Ice.Config={settings}"], stderr=subprocess.DEVNULL, text=True)
    try:
        _wait_for(port, router)
        yield port
    finally:
        for process in (router, manager):
            process.kill()
            process.wait()
        manager.stdout.close()


def ending(port: int, how: str, *, guarded: bool) -> Ending:
    """How one run of the program ends."""
    words = ["-m", "icegil", "run"] if guarded else []
    path = os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH")]))
    return run([sys.executable, *words, str(FOLDER / "client.py"), str(port), how], WITHIN, {"PYTHONPATH": path})


def shortfall(ended: Ending, status: int) -> str:
    """What is wrong with it; empty if nothing is."""
    if ended.hung or ended.status != status:
        return "hang" if ended.hung else f"status {ended.status} instead of {status}"
    noise = [line for line in ended.stderr.splitlines() if line and not ASKED_FOR.fullmatch(line)]
    return f"noise: {noise[0]}" if noise else ""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    if missing := _missing():
        pytest.skip(missing)
    yield from _routed(tmp_path_factory.mktemp("router"))


@pytest.mark.parametrize("how", ENDINGS)
def test_a_client_that_is_logged_in_ends_as_asked(port: int, how: str) -> None:
    for _ in range(RUNS):
        ended = ending(port, how, guarded=True)
        assert not shortfall(ended, ENDINGS[how]), ended


def test_a_client_whose_router_is_not_there_ends_as_plain() -> None:
    if missing := _missing():
        pytest.skip(missing)
    port = _free_port()
    for guarded in (False, True):
        ended = ending(port, "exit", guarded=guarded)
        assert (ended.status, ended.hung) == (1, False)
        assert "ConnectionRefusedException" in ended.stderr


def main(runs: int) -> int:
    """Each ending many times on both sides, alternately: how many fell short, and why."""
    import tempfile

    if missing := _missing():
        sys.exit(missing)
    # Whoever starts this in the background may have SIGINT ignored, and the programs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    is_short = False
    with tempfile.TemporaryDirectory() as folder:
        for port in _routed(Path(folder)):
            for how, status in ENDINGS.items():
                found = {False: Counter[str](), True: Counter[str]()}
                for _ in range(runs):
                    for guarded, short in found.items():
                        short[shortfall(ending(port, how, guarded=guarded), status)] += 1
                is_short |= found[True][""] != runs
                for guarded, short in found.items():
                    rest = ", ".join(f"{count} {why}" for why, count in short.items() if why)
                    print(f"{how:26}{'guarded' if guarded else 'plain':9}{short['']} of {runs}  {rest}", flush=True)
    return is_short


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=20, help="runs of each ending on each side (%(default)s)")
    sys.exit(main(parser.parse_args().n))
