"""What `icegil run` hands on to the processes that its program starts, and what a process does with `ICEGIL=1`.

All of it is in the environment. Who reads it there is `icegil_startup`, as Python starts.
"""

from __future__ import annotations

import os

import icegil.guard as guard

STARTUP = "ICEGIL"
REPORT = "ICEGIL_REPORT"
TRACE = "ICEGIL_TRACE"


def install() -> None:
    """Puts icegil in place in a process that has just imported Ice, as its environment says.

    Raises
    ------
    ValueError, IcegilError, OSError
        As `icegil.install()`.
    """
    guard.install()
    if os.environ.get(REPORT) == "1":
        import icegil.commands.report as report

        report.at_exit(f"process {os.getpid()}")


def hand_on(*, drain_timeout: float | None, without: str | None, has_report: bool) -> None:
    """Has the processes that this one starts do what `icegil run` was told; of the timeline they know already."""
    os.environ[STARTUP] = "1"
    if drain_timeout is not None:
        os.environ["ICEGIL_DRAIN_TIMEOUT"] = str(drain_timeout)
    if without is not None:
        os.environ["ICEGIL_WITHOUT"] = without
    if has_report:
        os.environ[REPORT] = "1"


def keep_back(*, trace: str | None) -> None:
    """Has them run plain, whoever asked for anything else; `trace` is where they were to record before."""
    os.environ.pop(STARTUP, None)
    if trace is not None:
        os.environ[TRACE] = trace
    else:
        os.environ.pop(TRACE, None)
