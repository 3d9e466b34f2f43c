"""The settings: what each may be, and whether the call, a property, the environment or the default decided."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from icegil.errand import seconds

MODES = ("auto", "guard", "teardown")
DRAIN_TIMEOUT = 5.0  # seconds
PARTS = ("futures", "ownership", "locks", "states")
"""What the guard changes for a running program, and what can be left out of it."""

T = TypeVar("T")


@dataclass(frozen=True)
class Setting(Generic[T]):
    """One setting."""

    value: T
    source: str
    """`"call"`, `"properties"` (of a communicator), `"environment"` or `"default"`."""


def _asked(name: str, given: object) -> tuple[str, str, Any]:
    """Who says what a setting is to be, the call or else the environment; by which name; and what it says."""
    if given is not None:
        return "call", name, given
    variable = f"ICEGIL_{name.upper()}"
    return "environment", variable, os.environ.get(variable)


def mode(given: str | None) -> Setting[str]:
    """The mode that a call asks for; with None the environment's `ICEGIL_MODE`, else `"auto"`.

    Raises
    ------
    TypeError, ValueError
        It is not one of `MODES`.
    """
    source, name, chosen = _asked("mode", given)
    if given is None and not chosen:
        return Setting("auto", "default")
    if not isinstance(chosen, str):
        raise TypeError(f"{name} must be a string, not {type(chosen).__name__}")
    return Setting(mode_named(chosen, name), source)


def mode_named(text: str, name: str) -> str:
    """The mode that `text` says; ValueError that names the setting."""
    if text not in MODES:
        raise ValueError(f"{name} must be one of {', '.join(MODES)}, not {text!r}")
    return text


def drain_timeout(given: float | None) -> Setting[float]:
    """The seconds that a call asks for; with None the environment's `ICEGIL_DRAIN_TIMEOUT`, else 5.

    Raises
    ------
    TypeError, ValueError
        It is no number, negative or NaN.
    """
    if given is not None:
        return Setting(seconds(given, "drain_timeout"), "call")
    text = os.environ.get("ICEGIL_DRAIN_TIMEOUT")
    if not text:
        return Setting(DRAIN_TIMEOUT, "default")
    return Setting(seconds_named(text, "ICEGIL_DRAIN_TIMEOUT"), "environment")


def seconds_named(text: str, name: str) -> float:
    """The seconds that `text` says; ValueError that names the setting."""
    try:
        return seconds(float(text), name)
    except ValueError:
        raise ValueError(f"{name} must be a number of seconds, not {text!r}") from None


def without(given: Iterable[str] | None) -> Setting[tuple[str, ...]]:
    """The parts that a call leaves out, names or one string with commas; with None the environment's `ICEGIL_WITHOUT`.

    Raises
    ------
    TypeError, ValueError
        One of them is not one of `PARTS`.
    """
    source, name, chosen = _asked("without", given)
    if given is None and not chosen:
        return Setting((), "default")
    if isinstance(chosen, str):
        chosen = filter(None, (each.strip() for each in chosen.split(",")))
    if not isinstance(chosen, Iterable):
        raise TypeError(f"{name} must be names of parts, not {type(chosen).__name__}")
    names = {*chosen}
    for each in names:
        if each not in PARTS:
            raise ValueError(f"{name} must be some of {', '.join(PARTS)}, not {each!r}")
    return Setting(tuple(each for each in PARTS if each in names), source)


def trace() -> str:
    """Where the environment's `ICEGIL_TRACE` wants the timeline; empty if nowhere."""
    return os.environ.get("ICEGIL_TRACE", "")
