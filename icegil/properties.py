"""What the properties of a communicator ask of icegil: `IceGil.Mode` and others, given where Ice's own are given."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import icegil.settings as settings
from icegil.errand import log
from icegil.settings import Setting

PREFIX = "IceGil"
MODE, DRAIN_TIMEOUT, TRACE, ADMIN = NAMES = tuple(
    f"{PREFIX}.{name}" for name in ("Mode", "DrainTimeout", "Trace", "Admin")
)


@dataclass(frozen=True)
class Asked:
    """What one communicator asks for. Whatever it is, no property makes the making of a communicator fail."""

    mode: str | None = None
    drain_timeout: float | None = None
    """In seconds; None: it does not say."""
    trace: str | None = None
    has_facet: bool = False
    """Whether it is to have the admin facet."""


def take_words(words: object, properties: Any) -> None:
    """Sets what a command line says of these properties, and takes it off the list, as Ice does with its own.

    Ice looks for the prefixes that it knows only (`parseIceCommandLineOptions`), so `--IceGil.Mode` is left to this.
    """
    if not isinstance(words, list):
        return
    own = [word for word in words if word.startswith(f"--{PREFIX}.")]
    if own:
        words[:] = [word for word in words if word not in own]
        properties.parseCommandLineOptions(PREFIX, own)


def asked(communicator: Any) -> Asked | None:
    """What a communicator asks for; None where it says nothing, as most do. What is wrong is said in the log, once."""
    found: dict[str, str] = communicator._impl.getProperties().getPropertiesForPrefix(f"{PREFIX}.")
    if not found:
        return None
    for name in found.keys() - set(NAMES):
        _say_unknown(name)
    return Asked(
        mode=_read(settings.mode_named, found, MODE),
        drain_timeout=_read(settings.seconds_named, found, DRAIN_TIMEOUT),
        trace=found.get(TRACE),
        has_facet=bool(_read(_switch, found, ADMIN)),
    )


def longest(seconds: float | None, current: Setting[float]) -> Setting[float]:
    """The drain timeout when a communicator asks for this one: the longest of all that ask. A call goes before them."""
    if seconds is None or current.source == "call":
        return current
    if current.source == "properties" and seconds < current.value:
        log.info("%s=%g is not followed: another communicator asks for %g", DRAIN_TIMEOUT, seconds, current.value)
        return current
    return Setting(seconds, "properties")


def _read(reader: Any, found: dict[str, str], name: str) -> Any:
    if name not in found:
        return None
    try:
        return reader(found[name], name)
    except ValueError as error:
        say_once(f"{error}: the property is passed over")
        return None


def _switch(text: str, name: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError(f"{name} must be 0 or 1, not {text!r}")
    return text == "1"


@functools.cache
def _say_unknown(name: str) -> None:
    import difflib  # not at the top: most programs never need it

    nearest = max(NAMES, key=lambda each: difflib.SequenceMatcher(None, name.lower(), each.lower()).ratio())
    log.warning("there is no property %s, and it does nothing; the nearest is %s", name, nearest)


@functools.cache
def say_once(text: str) -> None:
    """Warns of something in the log, once however many communicators have the same properties."""
    log.warning("%s", text)
