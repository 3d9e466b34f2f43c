"""`icegil --version`: which icegil, Python and Ice these are, in one line."""

import argparse
import platform
from typing import Any

import icegil.versions as versions


class ShowVersion(argparse.Action):
    """Prints the line and ends. Ice is imported for it, which `action="version"` would do for every command line."""

    def __init__(self, option_strings: list[str], dest: str, help: str) -> None:
        super().__init__(option_strings, dest=argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print(f"icegil {versions.ICEGIL}, {platform.python_implementation()} {platform.python_version()}, {_ice()}")
        parser.exit()


def _ice() -> str:
    try:
        import Ice  # noqa: F401
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "Ice":
            return "zeroc-ice is not installed"
        return f"zeroc-ice cannot be imported: {' '.join(str(error).split())}"
    return f"zeroc-ice {versions.ice()}"
