"""Glacier2: a client behind Debian's router is called back by a server, and leaves meanwhile in every way.

The figures of plain Ice beside these: `python tests/deployments/test_glacier2.py -n 20`.
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment import Runs, Side, check, compare, fixture, free_port, listens
from servers import WAYS, left, missing, program, running, settings

MISSING = missing({"glacier2router": "zeroc-glacier2"})

LEAVES = [*WAYS, "session destroyed"]


@contextlib.contextmanager
def deployed(folder: Path) -> Iterator[Runs]:
    """A router, and an exchange behind it."""
    port = free_port()
    router = settings(
        folder,
        "router",
        "Glacier2.InstanceName=Market",
        f"Glacier2.Client.Endpoints=tcp -h 127.0.0.1 -p {port}",
        "Glacier2.Server.Endpoints=tcp -h 127.0.0.1",
        "Glacier2.PermissionsVerifier=Market/NullPermissionsVerifier",
    )
    exchange = program("exchange.py", settings(folder, "exchange", "Exchange.Endpoints=tcp -h 127.0.0.1"))
    with (
        running(folder, exchange, Side.GUARDED, until=lambda process: process.stdout.endswith("\n")) as server,
        running(folder, ["glacier2router", router], until=lambda _: listens(port)),
    ):
        listener = settings(
            folder,
            "listener",
            f"Ice.Default.Router=Market/router:tcp -h 127.0.0.1 -p {port}",
            f"Market.Exchange={server.stdout.strip()}",
        )
        yield {way: left("listener.py", way, listener) for way in LEAVES}
        assert not server.stderr


runs = fixture(deployed, MISSING)


@pytest.mark.parametrize("way", LEAVES)
def test_a_client_that_leaves_while_it_is_called_back_ends_with_its_own_status_in_silence(way: str, runs: Runs) -> None:
    check(runs[way])


if __name__ == "__main__":
    sys.exit(compare(deployed, MISSING, "Glacier2"))
