"""uvicorn: an application that asks an Ice server with asyncio, in one process and in two that are spawned.

After SIGTERM uvicorn ends itself by that signal; after SIGINT, or all pages that it may send, Python comes to its end.
The figures of plain Ice beside these: `python tests/deployments/test_uvicorn.py -n 20`.
"""

import functools
import signal
import sys
from pathlib import Path

import pytest
from deployment import PROGRAMS, Process, Runs, Side, check, compare, fixture, free_port, python
from echo import beside_echo, judged, missing
from pages import Requests

MISSING = missing("uvicorn")

# What stops it, by how many workers it has, and its status then.
STATUS = {
    (1, "SIGTERM"): -signal.SIGTERM,
    (1, "SIGINT"): 0,
    (1, "after 50 pages"): 0,
    (2, "SIGTERM"): 0,
    (2, "SIGINT"): 0,
    (2, "workers after 50 pages"): 0,
}
OWN_LINES = r"(?m)^(INFO: +|WARNING: +Maximum request limit )[^\n]*$"


def uvicorn(workers: int, stop: str, side: Side, folder: Path, echo: str) -> str:
    """Starts it, and has it stop under requests."""
    application = "without_ice:asgi" if side is Side.WITHOUT_ICE else "asgi:application"
    port = free_port()
    words = [python(), "-m", "uvicorn", "--workers", str(workers), "--port", str(port), "--no-access-log", application]
    is_limited = stop.endswith("after 50 pages")
    if is_limited:
        words += ["--limit-max-requests", "50"]
    with Process(folder, words, side, ECHO=echo, PYTHONPATH=str(PROGRAMS)) as server, Requests(port) as requests:
        if is_limited:
            # Two workers make room for others when they have sent theirs.
            requests.wait_for_pages(50 * workers, processes=2 * workers - 1)
        else:
            requests.wait_for_pages(20, processes=workers)
        if not is_limited or workers > 1:
            server.send(signal.SIGINT if stop == "SIGINT" else signal.SIGTERM)
        short = judged(server, STATUS[workers, stop], OWN_LINES)
    return short or (f"pages refused: {requests.refused}" if requests.refused else "")


DEPLOYMENTS = {
    f"uvicorn, {workers} worker{'s' * (workers > 1)}, {stop}": functools.partial(uvicorn, workers, stop)
    for workers, stop in STATUS
}
deployed = beside_echo(DEPLOYMENTS)
runs = fixture(deployed, MISSING)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_server_and_workers_end_with_their_own_status_in_silence(name: str, runs: Runs) -> None:
    check(runs[name])


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_the_same_is_said_of_an_application_without_ice(name: str, runs: Runs) -> None:
    check(runs[name], Side.WITHOUT_ICE, runs=1)


if __name__ == "__main__":
    sys.exit(compare(deployed, MISSING))
