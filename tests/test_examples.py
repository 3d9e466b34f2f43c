"""The examples do what their READMEs show, command by command, and what they start ends well, however it is ended."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import Ice
import pytest
from children import ROOT
from mumble_visitor import Visitor
from readme_session import WITHIN, Terminal, slice2py, steps

FOLDER = Path(ROOT) / "examples"


@dataclass(frozen=True)
class Needs:
    """What an example needs, and what more than its README's commands is tried with it."""

    ice: int = 30700
    packages: tuple[tuple[str, str], ...] = ()
    """Commands or files, and the packages of Debian that bring them."""
    modules: tuple[str, ...] = ()
    visit: Callable[[Terminal], None] | None = None


def meet_the_bot(terminal: Terminal) -> None:
    port = terminal.port(14062)
    with Visitor(port, "Ada", WITHIN) as ada:
        assert ada.read() == "Welcome, Ada! I know !who and !uptime."
        with Visitor(port, "Grace", WITHIN) as grace:
            assert grace.read() == "Welcome, Grace! I know !who and !uptime."
            grace.write("!who")
            assert (grace.read(), ada.read()) == ("Ada, Grace", "!who")
        ada.write("!uptime")
        assert re.fullmatch(r"\d+ seconds", ada.read())


def find_no_warehouse(terminal: Terminal) -> None:
    """The service behind the gateway has gone: HTTP says so, and the gateway stays."""
    [server] = [each for each in terminal.started if each.command == "python server.py"]
    server.process.terminate()
    server.process.wait(WITHIN)
    command = ["curl", "-sw", " %{http_code}", f"localhost:{terminal.port(14062)}/items/nut"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN).stdout
    assert answer == '{"detail":"the warehouse does not answer"} 503'


SLICE = ("/usr/share/ice/slice/Ice/SliceChecksumDict.ice", "zeroc-ice-slice")
EXAMPLES = {
    "greeter": Needs(ice=30800),
    "gateway": Needs(packages=(("curl", "curl"),), modules=("fastapi", "uvicorn"), visit=find_no_warehouse),
    "telemetry": Needs(
        packages=(("icebox", "zeroc-icebox"), ("/usr/lib/*/libIceStormService.so.37", "libzeroc-icestorm3.7"))
    ),
    "images": Needs(),
    "mumble": Needs(
        packages=(("murmurd", "mumble-server"), ("/usr/share/slice/Murmur.ice", "mumble-server"), SLICE),
        visit=meet_the_bot,
    ),
    "icegrid": Needs(
        packages=(
            ("icegridregistry", "zeroc-icegrid"),
            ("icegridnode", "zeroc-icegrid"),
            ("icegridadmin", "zeroc-ice-utils"),
        )
    ),
}

# Who does not leave with status 0: uvicorn closes all, then ends itself with SIGTERM; murmurd has no end for Ctrl-C.
STATUS = {("uvicorn", signal.SIGTERM): -signal.SIGTERM, ("murmurd", signal.SIGINT): -signal.SIGINT}


def is_there(what: str) -> bool:
    if what.startswith("/"):
        return any(Path("/").glob(what.removeprefix("/")))
    return shutil.which(what, path="/usr/sbin:/usr/bin:/bin") is not None or shutil.which(what) is not None


def missing(name: str) -> str:
    """Why an example cannot be run here; empty if it can."""
    needs = EXAMPLES[name]
    if Ice.intVersion() < needs.ice:
        return f"it needs Ice {needs.ice // 10000}.{needs.ice // 100 % 100}, and this is {Ice.stringVersion()}"
    for what, package in needs.packages:
        if not is_there(what):
            return f"{what} is not there: apt-get install {package}"
    for module in needs.modules:
        if importlib.util.find_spec(module) is None:
            return f"{module} is not there: pip install 'icegil[examples]'"
    if not is_there(slice2py()):
        return "slice2py is not there: apt-get install zeroc-ice-compilers"
    asked = subprocess.run([slice2py(), "--version"], capture_output=True, text=True)
    version = (asked.stdout + asked.stderr).strip()
    return "" if version == Ice.stringVersion() else f"slice2py is of Ice {version}, and Ice is {Ice.stringVersion()}"


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may read, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="icegil-example-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def nobody_can_run_it() -> bool:
    """Whether the servers would find interpreter and icegil that `icegridnode`, started by root, runs as `nobody`."""
    if os.geteuid() != 0:
        return True  # it runs them as who it is
    try:
        asked = [sys.executable, "-c", "from icegil import Ice"]
        return (
            subprocess.run(asked, user="nobody", cwd="/", env={"PYTHONPATH": ROOT}, capture_output=True).returncode == 0
        )
    except PermissionError:
        return False


def adapt_to_tests(node: Path, application: Path) -> None:
    """Has the node of IceGrid say with which statuses its servers end, and run them as root where it must."""
    lines = ["IceGrid.Node.Trace.Activator=1"]
    if not nobody_can_run_it():
        application.write_text(application.read_text().replace(' exe="python"', ' exe="python" user="root"'))
        lines.append("IceGrid.Node.AllowRunningServersAsRoot=1")
    node.write_text("\n".join([node.read_text(), *lines, ""]))


def run_commands(terminal: Terminal) -> None:
    if (node := terminal.folder / "config.node").exists():
        adapt_to_tests(node, terminal.folder / "application.xml")
    for step in steps((terminal.folder / "README.md").read_text()):
        terminal.run(step)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM], ids=lambda end: end.name)
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_does_what_its_readme_shows_and_ends_well(name: str, end: signal.Signals, folder: Path) -> None:
    if reason := missing(name):
        pytest.skip(reason)
    with Terminal(FOLDER / name, folder) as terminal:
        run_commands(terminal)
        if visit := EXAMPLES[name].visit:
            visit(terminal)
        ended = terminal.stop(end)
        for each in terminal.started:
            status = STATUS.get((each.command.split()[0], end), 0) if each in ended else 0
            assert each.process.returncode == status, str(terminal)
            assert not (each.is_python and each.stderr.read_text()), str(terminal)
        assert terminal.still_running() == []


GUARDED = "from icegil import Ice\n"


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_plain_ice_but_for_one_line(name: str, folder: Path) -> None:
    programs = [*(FOLDER / name).glob("*.py")]
    assert [path.read_text().count("icegil") for path in programs] == [1] * len(programs)
    assert all(GUARDED in path.read_text() for path in programs)
    if reason := missing(name):
        pytest.skip(reason)
    with Terminal(FOLDER / name, folder) as terminal:
        for path in terminal.folder.glob("*.py"):
            path.write_text(path.read_text().replace(GUARDED, "import Ice\n"))
        terminal.environment["PYTHONUNBUFFERED"] = "1"  # plain, a program may die before it has flushed
        run_commands(terminal)


def test_each_example_is_tested_and_in_the_table() -> None:
    folders = {path.name for path in FOLDER.iterdir() if (path / "README.md").exists()}
    rows = re.findall(r"^\| \[(\w+)\]\(\1/README\.md\) \|", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert folders == set(EXAMPLES) and sorted(rows) == sorted(folders)
