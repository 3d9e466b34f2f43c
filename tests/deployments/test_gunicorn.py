"""gunicorn: workers that ask an Ice server for each page, stopped and reloaded with requests under way.

gunicorn itself says of a worker that did not end with status 0, or was killed.
The figures of plain Ice beside these: `python tests/deployments/test_gunicorn.py -n 20`.
"""

import functools
import importlib.util
import signal
import sys
from pathlib import Path

import pytest
from processes import Process, Requests, Side, check, compare, environment, free_port, python

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("gunicorn") is None, reason="gunicorn is not there: pip install icegil[deployments]"
)

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
    with Process(words, environment(side, ECHO=echo, HOME=str(folder)), folder) as server, Requests(port) as requests:
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
        short = server.shortfall(0, OWN_LINES)
    is_refused = requests.refused and stops is not signal.SIGINT  # which has pages that are not ready answered with 500
    return short or (f"pages refused: {requests.refused}" if is_refused else "")


DEPLOYMENTS = {
    f"gunicorn, {kind}, {stops.name}": functools.partial(gunicorn, kind, stops)
    for kind in KINDS
    for stops in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_master_and_workers_end_with_their_own_status_in_silence(name: str, tmp_path: Path) -> None:
    check(DEPLOYMENTS[name], tmp_path)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_the_same_is_said_of_an_application_without_ice(name: str, tmp_path: Path) -> None:
    check(DEPLOYMENTS[name], tmp_path, Side.WITHOUT_ICE, runs=1)


if __name__ == "__main__":
    sys.exit(compare(DEPLOYMENTS))
