"""What programs print, as XML can hold it."""

from __future__ import annotations

import re

# XML 1.0 has no way to write these; programs that crash print such things.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def writable(text: str) -> str:
    """The text, with a replacement character for each that XML cannot hold."""
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)
