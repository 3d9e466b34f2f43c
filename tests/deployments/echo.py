"""Python's own servers and tools, whose programs ask an Ice server: it runs while they are tried."""

import contextlib
import importlib.util
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from deployment import PROGRAMS, Deployed, Process, Runs, Side, python, shortfall

Tool = Callable[[Side, Path, str], str]
"""Runs something once on that side, with a folder and the proxy of an Ice server; what fell short, if anything did."""


def missing(*modules: str) -> str:
    """Which of these are not there, and how to have them; or nothing."""
    absent = ", ".join(name for name in modules if importlib.util.find_spec(name) is None)
    return f"{absent}: not there. pip install 'icegil[deployments]'" if absent else ""


@contextlib.contextmanager
def echo_server() -> Iterator[str]:
    """An Ice server in a process of its own; its proxy, as text."""
    words = [python(), str(PROGRAMS / "echo_server.py")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None and server.stdin is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


def beside_echo(tools: Mapping[str, Tool]) -> Deployed:
    """An Ice server while it is needed, and what is run beside it."""

    @contextlib.contextmanager
    def deployed(folder: Path) -> Iterator[Runs]:
        with echo_server() as echo:
            yield {name: lambda side, tool=tool: tool(side, folder, echo) for name, tool in tools.items()}

    return deployed


def judged(process: Process, status: int, own: str) -> str:
    """Waits for its end: what is wrong with it. `own` is a regular expression for what it may write anywhere."""
    ending = process.wait()
    return shortfall(ending, status, re.sub(own, "", ending.stdout + ending.stderr, flags=re.DOTALL).strip())
