"""Where PyInstaller finds its hooks for Ice and icegil, by the entry point in pyproject.toml."""

import os


def hook_directories() -> list[str]:
    """The directories with a file `hook-NAME.py` for a module NAME."""
    return [os.path.dirname(__file__)]
