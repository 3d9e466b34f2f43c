"""What PyInstaller does not see of icegil: the boundary, which is compiled, and what is loaded by name."""

from PyInstaller.utils.hooks import collect_submodules


def is_of_programs(name: str) -> bool:
    """Whether a program loads it: neither the commands nor what is for tests."""
    return not name.startswith(("icegil.commands", "icegil.pyinstaller", "icegil.pytest_", "icegil.__main__"))


hiddenimports = collect_submodules("icegil", filter=is_of_programs)
