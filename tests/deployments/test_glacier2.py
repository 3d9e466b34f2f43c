"""Glacier2: a client behind Debian's router is called back by a server, and leaves meanwhile in every way.

The figures of plain Ice beside these: `python tests/deployments/test_glacier2.py -n 20`.
"""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from servers import WAYS, Run, Side, check, compare, free_port, left, listens, missing, program, running, settings

MISSING = missing({"glacier2router": "zeroc-glacier2"})
pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

LEAVES = [*WAYS, "session destroyed"]


@contextlib.contextmanager
def deployed(folder: Path) -> Iterator[Mapping[str, Run]]:
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
    exchange = program(Side.GUARDED, "exchange.py", settings(folder, "exchange", "Exchange.Endpoints=tcp -h 127.0.0.1"))
    with (
        running(folder, *exchange, until=lambda process: process.stdout.endswith("\n")) as server,
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


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Run]]:
    with deployed(tmp_path_factory.mktemp("glacier2")) as found:
        yield found


@pytest.mark.parametrize("way", LEAVES)
def test_a_client_that_leaves_while_it_is_called_back_ends_with_its_own_status_in_silence(
    way: str, runs: Mapping[str, Run]
) -> None:
    check(runs[way])


if __name__ == "__main__":
    sys.exit(compare("Glacier2", MISSING, deployed))
