"""IceStorm: subscribers of Debian's IceStorm leave in every way while messages come.

The figures of plain Ice beside these: `python tests/deployments/test_icestorm.py -n 20`.
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment import Runs, Side, check, compare, fixture, free_port, listens
from servers import WAYS, left, missing, program, running, settings

MISSING = missing({"icebox": "zeroc-icebox", "/usr/share/doc/libzeroc-icestorm3.7": "libzeroc-icestorm3.7"})

LEAVES = [*WAYS, "unsubscribed"]


@contextlib.contextmanager
def deployed(folder: Path) -> Iterator[Runs]:
    """IceStorm in its icebox, and a publisher."""
    port = free_port()
    database = folder / "database"
    database.mkdir()
    storm = settings(
        folder,
        "storm",
        "IceStorm.InstanceName=Market",
        f"IceStorm.TopicManager.Endpoints=tcp -h 127.0.0.1 -p {port}",
        "IceStorm.Publish.Endpoints=tcp -h 127.0.0.1",
        f"IceStorm.LMDB.Path={database}",
    )
    icebox = settings(folder, "icebox", f"IceBox.Service.IceStorm=IceStormService,37:createIceStorm {storm}")
    manager = settings(folder, "programs", f"Market.Topics=Market/TopicManager:tcp -h 127.0.0.1 -p {port}")
    publisher = program("publisher.py", manager)
    with (
        running(folder, ["icebox", icebox], until=lambda _: listens(port)),
        running(folder, publisher, Side.GUARDED, until=lambda process: process.stdout.endswith("\n")) as publishing,
    ):
        yield {way: left("subscriber.py", way, manager) for way in LEAVES}
        assert not publishing.stderr


runs = fixture(deployed, MISSING)


@pytest.mark.parametrize("way", LEAVES)
def test_a_subscriber_that_leaves_while_messages_come_ends_with_its_own_status_in_silence(way: str, runs: Runs) -> None:
    check(runs[way])


if __name__ == "__main__":
    sys.exit(compare(deployed, MISSING, "IceStorm"))
