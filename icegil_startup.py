"""`ICEGIL=1`: guards Ice in any Python process that has it in its environment, in the moment that it imports Ice.

Python calls `start` as it starts, by `icegil.pth`, or from 3.15 on by `icegil.start`, which lie beside this file. A
process that has not asked pays for a look into its environment: nothing is imported here that Python has not already.
"""

import os
import sys

TYPE_CHECKING = False  # `typing` is more to load than all that is here
if TYPE_CHECKING:
    from typing import Any

_has_started = False


def start() -> None:
    """Waits for the import of Ice, if the environment asks for it. Raises nothing: Python must start in any case."""
    global _has_started
    asked = os.environ.get("ICEGIL", "")
    if asked in ("", "0") or _has_started:  # `site` looks into the folder of a virtual environment twice
        return
    _has_started = True
    if asked != "1":
        _say(f"ICEGIL must be 1 or 0, not {asked!r}")
    elif _has_rights_of_another():
        _say("ICEGIL is not followed in a process with the rights of another user: call icegil.install() there")
    elif "Ice" in sys.modules:
        _guard()
    else:
        sys.meta_path.insert(0, _Waiting())


def stop() -> None:
    """Waits no longer. Without effect if nothing waits."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Waiting)]


class _Waiting:
    """Finds Ice where the other finders do, and has it guarded when it has been imported. Then it goes away."""

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        if name != "Ice":
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = None if find is None or find == self.find_spec else find(name, path, target)
            if spec is not None:
                if spec.loader is not None:  # else a mere folder of that name
                    spec.loader = _Loader(spec.loader)
                return spec
        return None


class _Loader:
    """The loader of Ice, and what is to be done after it."""

    def __init__(self, loader: "Any") -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> "Any":
        return getattr(self._loader, name)

    def exec_module(self, module: "Any") -> None:
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        stop()
        _guard()


def _has_rights_of_another() -> bool:
    """Whether the environment may be that of somebody with fewer rights, as in a setuid program."""
    return hasattr(os, "geteuid") and (os.getuid(), os.getgid()) != (os.geteuid(), os.getegid())


def _guard() -> None:
    try:
        import icegil.commands.inherited

        icegil.commands.inherited.install()
    except Exception as error:  # the program is worth more than its guard
        _say(f"this process is not guarded: {error or type(error).__name__}")


def _say(text: str) -> None:
    try:  # noqa: SIM105  # `contextlib` is more to load
        print("icegil:", text.split("\n", 1)[0], file=sys.stderr)
    except (OSError, ValueError):  # nobody reads it
        pass
