"""IceGrid: replicas in Python, activated on demand by Debian's node, are stopped and started again under load.

The figures of plain Ice beside these: `python tests/deployments/test_icegrid.py -n 20`.
"""

import contextlib
import getpass
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest
from deployment import (
    COMPARED,
    WITHIN,
    Process,
    Runs,
    Side,
    check,
    compare,
    fixture,
    free_port,
    guard,
    listens,
    wait_until,
)
from servers import judged, missing, program, running, settings

MISSING = missing(
    {"icegridregistry": "zeroc-icegrid", "icegridnode": "zeroc-icegrid", "icegridadmin": "zeroc-ice-utils"}
)

APPLICATION = """
<icegrid>
  <application name="Market">
    <server-template id="Exchange">
      <parameter name="number"/>
      <server id="Exchange-${{number}}" exe={python} activation="on-demand" user={user}>
        {options}
        {environment}
        <adapter name="Exchange" endpoints="tcp -h 127.0.0.1" replica-group="Exchanges"/>
        <property name="Market.Peers" value="exchange@Exchanges"/>
      </server>
    </server-template>
    <replica-group id="Exchanges">
      <load-balancing type="round-robin" n-replicas="0"/>
    </replica-group>
    <node name="node">
      <server-instance template="Exchange" number="1"/>
      <server-instance template="Exchange" number="2"/>
    </node>
  </application>
</icegrid>
"""
REPLICAS = ("Exchange-1", "Exchange-2")

ALREADY_ACTIVE = "error: the server didn't start successfully:\nThe server is already active."

Admin = Callable[[str], str]
"""Answers what `icegridadmin` says to a command; that is nothing where it only does what it is told."""


def application(folder: Path, side: Side) -> Path:
    """The descriptor of an application with two replicas on that side."""
    python, *options = program("exchange.py")
    path = folder / "application.xml"
    path.write_text(
        APPLICATION.format(
            python=quoteattr(python),
            user=quoteattr(getpass.getuser()),
            options="".join(f"<option>{escape(each)}</option>" for each in options),
            environment="".join(f"<env>{escape(f'{name}={value}')}</env>" for name, value in guard(side).items()),
        )
    )
    return path


@contextlib.contextmanager
def grid(folder: Path, side: Side) -> Iterator[tuple[Admin, Process, str]]:
    """A registry and a node with replicas on that side: what administers it, the node, a property for its clients."""
    port = free_port()
    locator = f"Ice.Default.Locator=Market/Locator:tcp -h 127.0.0.1 -p {port}"
    for each in ("registry", "node"):
        (folder / each).mkdir()
    registry = settings(
        folder,
        "registry",
        "IceGrid.InstanceName=Market",
        f"IceGrid.Registry.Client.Endpoints=tcp -h 127.0.0.1 -p {port}",
        "IceGrid.Registry.Server.Endpoints=tcp -h 127.0.0.1",
        "IceGrid.Registry.Internal.Endpoints=tcp -h 127.0.0.1",
        "IceGrid.Registry.AdminPermissionsVerifier=Market/NullPermissionsVerifier",
        f"IceGrid.Registry.LMDB.Path={folder / 'registry'}",
    )
    node = settings(
        folder,
        "node",
        locator,
        "IceGrid.Node.Name=node",
        "IceGrid.Node.Endpoints=tcp -h 127.0.0.1",
        f"IceGrid.Node.Data={folder / 'node'}",
        f"IceGrid.Node.Output={folder}",
        "IceGrid.Node.AllowRunningServersAsRoot=1",  # where it is root who runs the tests
        "IceGrid.Node.Trace.Activator=1",  # it says how a server has ended
    )
    administrator = settings(folder, "administrator", locator)

    def admin(command: str) -> str:
        words = ["icegridadmin", administrator, "-u", "anna", "-p", "secret", "-e", command]
        done = subprocess.run(words, capture_output=True, text=True, timeout=WITHIN)
        return (done.stdout + done.stderr).strip()

    with (
        running(folder, ["icegridregistry", registry], until=lambda _: listens(port)),
        running(folder, ["icegridnode", node], until=lambda _: admin("node list") == "node") as process,
    ):
        assert not admin(f"application add {application(folder, side)}")
        yield admin, process, locator


def restart(admin: Admin, replica: str) -> None:
    """Stops a replica, when it is there, and starts it again, unless a request was quicker."""
    wait_until(lambda: admin(f"server state {replica}").startswith("active"), f"{replica} is active")
    assert not admin(f"server stop {replica}")
    assert admin(f"server start {replica}") in ("", ALREADY_ACTIVE)
    wait_until(lambda: admin(f"server state {replica}").startswith("active"), f"{replica} is active again")


def restarts(folder: Path, side: Side) -> dict[str, str]:
    """A client has replicas activated; they are restarted while it asks; all end. Whose end fell short, and why."""
    with grid(folder, side) as (admin, node, locator):
        buyer = settings(folder, "buyer", locator, "Market.Exchange=exchange@Exchanges")
        with Process(folder, program("buyer.py", buyer), side) as client:
            client.wait_until(lambda: "answered" in client.stdout, "the first answers")
            for replica in REPLICAS:
                restart(admin, replica)
            client.send(signal.SIGTERM)
            ending = client.wait()
    # The node says of the end of a server with which status or signal, where that is not 0.
    ends = re.findall(r"detected termination of server `(.*)'\n((?: +.*\n)?)", node.stderr)
    assert sorted(server for server, _ in ends) == sorted(REPLICAS * 2), node.stderr
    bad = ", ".join(f"{server}: {how.strip()}" for server, how in ends if how)
    # What a server says goes to a file as soon as it has a communicator, and to the node before.
    written = "".join((folder / f"{replica}.err").read_text(errors="replace") for replica in REPLICAS)
    written += "".join(re.findall(r"^(?!-- |   (?:signal|exit code) = ).*\n", node.stderr, re.MULTILINE))
    return {
        "client": judged(ending, 3) or ("" if ending.stdout == "answered\n0 failed\n" else ending.stdout),
        "replicas": f"{bad or 'noise'}\n{written}" if bad or written else "",
    }


WHOSE_ENDS = ("client", "replicas")


@contextlib.contextmanager
def deployed(folder: Path) -> Iterator[Runs]:
    """Nothing yet: each run has a grid of its own."""

    def once(side: Side, whose: str) -> str:
        with tempfile.TemporaryDirectory(dir=folder) as own:
            return restarts(Path(own), side)[whose]

    yield {whose: partial(once, whose=whose) for whose in WHOSE_ENDS}


runs = fixture(deployed, MISSING)


@pytest.mark.parametrize("whose", WHOSE_ENDS)
def test_replicas_restart_under_load_and_no_request_fails_and_all_end_with_their_own_status_in_silence(
    whose: str, runs: Runs
) -> None:
    check(runs[whose])


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
@pytest.mark.parametrize("side", COMPARED)
def test_it_is_the_variable_in_the_descriptor_that_guards_a_replica(side: Side, tmp_path: Path) -> None:
    pytest.importorskip("icegil._bridge", reason="there is no extension here that a guarded process would have loaded")
    with grid(tmp_path, side) as (admin, _, _):
        assert not admin("server start Exchange-1")
        loaded = Path(f"/proc/{admin('server pid Exchange-1')}/maps").read_text()
    assert ("icegil/_bridge" in loaded) is (side is Side.GUARDED)


if __name__ == "__main__":
    sys.exit(compare(deployed, MISSING, "IceGrid"))
