"""Enumerations whose members are words, as `enum.StrEnum`, which Python 3.10 has not."""

from __future__ import annotations

from enum import Enum


class StrEnum(str, Enum):
    """The members are strings, and print as their values."""

    __str__ = str.__str__
