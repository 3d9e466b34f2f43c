"""gunicorn: workers that ask an Ice server for each page, stopped and reloaded with requests under way.

gunicorn itself says of a worker that did not end with status 0, or was killed.
The figures of plain Ice beside these: `python tests/deployments/test_gunicorn.py -n 20`.
"""

import functools
import signal
import sys
from pathlib import Path

import pytest
from deployment import PROGRAMS, Process, Runs, Side, check, compare, fixture, free_port, python
from echo import beside_echo, judged, missing
from pages import Requests

MISSING = missing("gunicorn")

KINDS = {
    "sync": ("wsgi:application", ["--worker-class", "sync"]),
    "gthread": ("wsgi:application", ["--worker-class", "gthread", "--threads", "4"]),
    "--preload": ("wsgi_preloaded:application", ["--preload"]),
}
# Its own lines; and what its sync worker says of a page that it leaves in the middle, as SIGQUIT tells it to.
OWN_LINES = r"""(?mx)
    ^\[[^]\n]+\]\ \[\d+\]\ (
        \[INFO\]\ [^\n]*
        | \[ERROR\]\ Error\ handling\ request\ [^\n]*\n
          Traceback(?:(?!\n\[).)*\ in\ handle_quit\n\ +sys\.exit\(0\)\n(\ +~[~^]*\n)?SystemExit:\ 0
    )$
"""


def gunicorn(kind: str, stops: signal.Signals, side: Side, folder: Path, echo: str) -> str:
    """Starts it, has it reloaded if `stops` is SIGHUP, and stops it, all under requests."""
    application, words = KINDS[kind]
    if side is Side.WITHOUT_ICE:
        application = "without_ice:wsgi"
    port = free_port()
    words = [python(), "-m", "gunicorn", *words, "--workers", "2", "--bind", f"127.0.0.1:{port}", application]
    given = {"ECHO": echo, "HOME": str(folder), "PYTHONPATH": str(PROGRAMS)}
    with Process(folder, words, side, **given) as server, Requests(port) as requests:
        # Of both workers: one that is still being forked takes its master's signals for its own, and misses them.
        requests.wait_for_pages(20, processes=2)
        if stops is signal.SIGHUP:
            old = frozenset(requests.pages)
            server.send(signal.SIGHUP)
            requests.wait_for_pages(20, processes=2, others=old)
        if (kind, stops) == ("gthread", signal.SIGINT):
            # Its handler of SIGQUIT waits for a lock that the main thread has while it hands a page to its pool: it
            # would hang, without Ice as well. The calls of the last pages are still under way.
            requests.end()
        server.send(signal.SIGTERM if stops is signal.SIGHUP else stops)
        short = judged(server, 0, OWN_LINES)
    is_refused = requests.refused and stops is not signal.SIGINT  # which has pages that are not ready answered with 500
    return short or (f"pages refused: {requests.refused}" if is_refused else "")


DEPLOYMENTS = {
    f"gunicorn, {kind}, {stops.name}": functools.partial(gunicorn, kind, stops)
    for kind in KINDS
    for stops in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
}
deployed = beside_echo(DEPLOYMENTS)
runs = fixture(deployed, MISSING)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_master_and_workers_end_with_their_own_status_in_silence(name: str, runs: Runs) -> None:
    check(runs[name])


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_the_same_is_said_of_an_application_without_ice(name: str, runs: Runs) -> None:
    check(runs[name], Side.WITHOUT_ICE, runs=1)


if __name__ == "__main__":
    sys.exit(compare(deployed, MISSING))
