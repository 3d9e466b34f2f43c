"""The `icegil torture` command: from the chosen scenarios to the table, the files and the exit status."""

import argparse
import difflib
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

import icegil._compat as _compat
import icegil.commands.screen as screen
import icegil.commands.torture.table as table
from icegil.commands.torture.as_json import as_json
from icegil.commands.torture.campaign import Campaign
from icegil.commands.torture.catalogue import Scenario, scenarios
from icegil.commands.torture.heat_map import heat_map
from icegil.commands.torture.junit import junit
from icegil.commands.torture.progress import watching
from icegil.commands.torture.results import Results, Side
from icegil.errors import UnsupportedIce

STOPPING = tuple(each for each in signal.Signals if each.name in ("SIGINT", "SIGTERM", "SIGHUP"))


def _ignore(number: int, frame: FrameType | None) -> None:
    """Takes a signal and does nothing."""


class _Stop(BaseException):
    """Somebody wants the campaign to end."""

    def __init__(self, number: int) -> None:
        self.number = number


def torture(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> None:
    """Runs what was chosen. Ends in SystemExit, with the status that `icegil torture --help` speaks of."""
    wanted = [replace(each, within=each.within * chosen.times) for each in _wanted(parser, chosen.scenarios)]
    stdout = screen.on(sys.stdout)
    if chosen.list:
        table.show_catalogue(wanted, stdout)
        return
    files = _files(parser, chosen)
    try:
        ice = _compat.import_ice()
    except (ImportError, UnsupportedIce) as error:
        sys.exit(f"{parser.prog}: no scenario can be run: {error}")
    _leave_no_core_files()
    sides = [Side(name) for name in chosen.sides]
    campaign = Campaign(wanted, sides, chosen.runs, chosen.at_once, ice)
    status = _run(campaign)
    table.show(campaign.results, stdout)
    for path, text in files.items():
        try:
            path.write_text(text(campaign.results), encoding="utf-8")
        except OSError as error:
            print(f"{parser.prog}: {error}", file=sys.stderr)
            status = status or 1
    sys.exit(status)


def _leave_no_core_files() -> None:
    """To crash is what plain programs are expected to do here."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows, which writes none
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _wanted(parser: argparse.ArgumentParser, names: list[str]) -> list[Scenario]:
    known = {scenario.name: scenario for scenario in scenarios()}
    for name in names:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=3)
            hint = f"did you mean {' or '.join(nearest)}?" if nearest else "`icegil torture --list` shows them all"
            parser.error(f"there is no scenario {name!r}; {hint}")
    return [known[name] for name in dict.fromkeys(names or known)]


def _files(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> dict[Path, Callable[[Results], str]]:
    """What is to be written where. A file that cannot be written is better known now than after the campaign."""
    asked = ((chosen.json, as_json), (chosen.junit, junit), (chosen.svg, heat_map))
    files: dict[Path, Callable[[Results], str]] = {Path(name): text for name, text in asked if name is not None}
    for path in files:
        try:
            path.open("a").close()
        except OSError as error:
            parser.error(str(error))
    return files


def _run(campaign: Campaign) -> int:
    """Runs it until it is done or stopped; the exit status."""
    try:
        with _stoppable(), watching(campaign, screen.on(sys.stderr)) as told:
            campaign.run(told)
    except _Stop as stop:
        return 128 + stop.number
    return 1 if campaign.results.falls_short else 0


@contextmanager
def _stoppable() -> Iterator[None]:
    """Has Ctrl-C and the like raise _Stop, once: after that nothing may disturb the cleaning up and the table."""

    def stop(number: int, _: FrameType | None) -> None:
        for each in STOPPING:
            signal.signal(each, signal.SIG_IGN)
        raise _Stop(number)

    # A process that was told to ignore one, with `nohup` say, goes on ignoring it; but the programs that it runs do
    # not: they would inherit what is ignored, and not what is handled.
    before = {each: signal.getsignal(each) for each in STOPPING}
    for each, handler in before.items():
        signal.signal(each, _ignore if handler is signal.SIG_IGN else stop)
    yield
    for each, handler in before.items():
        signal.signal(each, handler)
