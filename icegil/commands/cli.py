"""The `icegil` command, and what it can be told."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import icegil.commands.run as run

if TYPE_CHECKING:
    import argparse


def main(arguments: list[str] | None = None) -> None:
    """The entry point of the `icegil` command and of `python -m icegil`."""
    words = sys.argv[1:] if arguments is None else arguments
    own = words
    program: list[str] = []
    if words[:1] == ["run"]:
        options, program = run.divide(words[1:])
        if program and not options:  # argparse would find nothing, and is more for Python to load and free than icegil
            return _run(program)
        own = ["run", *options]
    for_ice: list[str] = []
    if words[:1] == ["snapshot"]:  # argparse would take one with a space in it for the proxy
        for_ice = [word for word in words if word.startswith("--Ice")]
        own = [word for word in words if word not in for_ice]
    parser = _parser()
    if not words:
        parser.print_help(sys.stderr)
        sys.exit(2)
    import argparse

    chosen, unknown = parser.parse_known_args(own, argparse.Namespace(program=program, for_ice=for_ice))
    if unknown:
        chosen.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    chosen.command(chosen)


def _parser() -> argparse.ArgumentParser:
    import argparse

    import icegil.commands.timeline.arguments as timeline
    import icegil.commands.torture.arguments as torture
    from icegil.commands.version import ShowVersion

    parser = argparse.ArgumentParser(
        prog="icegil", description="Ice for Python that survives interpreter shutdown.", allow_abbrev=False
    )
    parser.add_argument("--version", action=ShowVersion, help="say which icegil, Python and Ice these are")
    parser.set_defaults(parser=parser)
    commands = parser.add_subparsers(prog="icegil", metavar="COMMAND", required=True)
    _add_run(commands)
    torture.add(commands)
    timeline.add(commands)
    _add_doctor(commands)
    _add_snapshot(commands)
    return parser


def _add_run(commands: argparse._SubParsersAction[Any]) -> None:
    parser = commands.add_parser(
        "run",
        help="run a program guarded",
        description="Runs a program as `python` would, unchanged, with icegil installed from the start: a script, a "
        "directory or zip file with a __main__.py, a module, code, a command on PATH that Python runs, or what comes "
        "on stdin (-). The Python processes that it starts are guarded too.",
        usage="icegil run [--drain-timeout S] [--without PARTS] [--trace FILE] [--report] [--no-children] "
        "(script.py | -m module | -c code | command | -) [argument ...]",
        epilog="What follows the program is its own. Python's options go first: python -X dev -m icegil run script.py",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--drain-timeout", metavar="S", type=_seconds, help="longest time in seconds that the shutdown waits (5)"
    )
    parser.add_argument(
        "--without",
        metavar="PARTS",
        help="what not to change for the running program, with commas: futures, ownership, locks, states",
    )
    parser.add_argument(
        "--trace",
        metavar="FILE",
        help="write a timeline of the program to FILE, for `icegil timeline`; a process that comes from it and is to "
        "write to FILE too puts its process id before the suffix",
    )
    parser.add_argument(
        "--report", action="store_true", help="say on stderr at the end what the shutdown found and did"
    )
    parser.add_argument(
        "--no-children", action="store_true", help="leave the processes that the program starts as they are"
    )
    parser.set_defaults(
        parser=parser,
        command=lambda chosen: _run(
            chosen.program,
            drain_timeout=chosen.drain_timeout,
            without=chosen.without,
            trace_file=chosen.trace,
            has_report=chosen.report,
            has_children=not chosen.no_children,
        ),
    )


def _run(program: list[str], **options: Any) -> None:
    try:
        run.run(program, **options)
    except run.UsageError as error:
        _parser().parse_args(["run"]).parser.error(str(error))


def _seconds(text: str) -> float:
    import argparse

    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value) or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return value


def _add_doctor(commands: argparse._SubParsersAction[Any]) -> None:
    parser = commands.add_parser(
        "doctor",
        help="say what is installed, what is guarded, what is not and why",
        description="Says what is installed, what is guarded, what is not and why, and tries it on a small program.",
        epilog="Exit status: 0 if the guard is on and the program ended well, else 1.",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="say it in JSON")
    parser.set_defaults(parser=parser, command=_doctor)


def _doctor(chosen: argparse.Namespace) -> None:
    from icegil.commands.doctor import doctor

    doctor(chosen.json)


def _add_snapshot(commands: argparse._SubParsersAction[Any]) -> None:
    parser = commands.add_parser(
        "snapshot",
        help="say what a running server is at, over its admin facet",
        description="Asks a running server, whose communicator has IceGil.Admin=1 and Ice.Admin.Endpoints, for its "
        "status and snapshot, and shows them.",
        usage="icegil snapshot [--json] [--timeout S] (PROXY | --server ID [--user NAME]) [--Ice.Property=value ...]",
        epilog="Exit status: 0 if the server answered, else 1.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "proxy", nargs="?", metavar="PROXY", help="the admin object: 'InstanceName/admin:tcp -h host -p port'"
    )
    parser.add_argument("--server", metavar="ID", help="a server of IceGrid's; Ice.Default.Locator says which registry")
    parser.add_argument("--user", metavar="NAME", help="an administrator of the registry; the password is asked for")
    parser.add_argument(
        "--timeout", metavar="S", type=_seconds, default=10.0, help="longest time in seconds for each answer (10)"
    )
    parser.add_argument("--json", action="store_true", help="what it answered, as it is")
    parser.set_defaults(parser=parser, command=_snapshot)


def _snapshot(chosen: argparse.Namespace) -> None:
    if (chosen.proxy is None) == (chosen.server is None):
        chosen.parser.error("a proxy or --server is needed, one of them")
    from icegil.commands.snapshot import snapshot

    snapshot(
        chosen.proxy,
        chosen.server,
        user=chosen.user,
        timeout=chosen.timeout,
        words=chosen.for_ice,
        as_json=chosen.json,
    )
