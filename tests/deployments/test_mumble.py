"""Mumble: a bot on Debian's server, which is called back and asks from threads, leaves in every way.

The figures of plain Ice beside these: `python tests/deployments/test_mumble.py -n 20`.
"""

import contextlib
import getpass
import sys
from collections.abc import Iterator
from pathlib import Path

import Ice
import pytest
from deployment import Runs, check, compare, fixture, free_port, listens
from servers import WAYS, left, missing, running, settings

MURMURD = "/usr/sbin/murmurd"
MISSING = missing({MURMURD: "mumble-server", Ice.getSliceDir() or "the Slice of Ice": "zeroc-ice-slice"})

# What Ice 3.8 has to say of a Slice file that was written for an older one.
SLICE_WARNINGS = r"(?:/usr/share/slice/Murmur\.ice:\d+: warning: .*\n)*"

INITIAL = """
database={folder}/mumble.sqlite
uname={user}
pidfile=
host=127.0.0.1
port={port}
bonjour=False
ice="tcp -h 127.0.0.1 -p {ice}"
icesecretread=read and write
icesecretwrite=read and write
"""


@contextlib.contextmanager
def deployed(folder: Path) -> Iterator[Runs]:
    """A server."""
    ice = free_port()
    initial = folder / "mumble.ini"
    initial.write_text(INITIAL.format(folder=folder, user=getpass.getuser(), port=free_port(), ice=ice))
    words = [MURMURD, "-fg", "-ini", str(initial)]
    with running(folder, words, until=lambda process: "Server listening on" in process.stderr and listens(ice)):
        bot = settings(folder, "bot", f"Mumble.Meta=Meta:tcp -h 127.0.0.1 -p {ice}")
        yield {way: left("mumble_bot.py", way, bot, before=SLICE_WARNINGS) for way in WAYS}


runs = fixture(deployed, MISSING)


@pytest.mark.parametrize("way", WAYS)
def test_a_bot_that_leaves_while_it_is_called_back_ends_with_its_own_status_in_silence(way: str, runs: Runs) -> None:
    check(runs[way])


if __name__ == "__main__":
    sys.exit(compare(deployed, MISSING, "Mumble"))
