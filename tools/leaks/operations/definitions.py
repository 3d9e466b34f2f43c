"""What Slice defines, compiled on the spot, and a servant for it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import Ice

from tools.leaks.ends import IS_3_8

DEFINITIONS = """
module Leaks
{
    struct Point { int x; string name; };
    sequence<string> Names;
    sequence<byte> Bytes;
    sequence<Point> Points;
    dictionary<string, string> Words;
    class Parcel { string label; Parcel inner; };
    exception Refused { string why; int code; };
    exception RefusedAtLength extends Refused { Names names; Words words; };
    exception Undeclared { string why; };
    interface Post
    {
        Parcel send(Parcel parcel);
        void refuse() throws Refused;
        void refuseAtLength() throws Refused;
        void refuseUndeclared();
        Points data(Bytes bytes, Names names, Words words, out Names other, out Words others);
        Object* proxy(Object* given);
        optional(1) string maybe(optional(2) string given);
    };
};
"""

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "Leaks.ice")
    path.write_text(DEFINITIONS)
    if IS_3_8:
        Ice.loadSlice([str(path)])
    else:
        Ice.loadSlice("", [str(path)])

import Leaks  # type: ignore[import-not-found]  # noqa: E402

Parcel, Point, PostPrx = Leaks.Parcel, Leaks.Point, Leaks.PostPrx
Refused, Undeclared = Leaks.Refused, Leaks.Undeclared


class Post(Leaks.Post):  # type: ignore[misc]
    """Gives back what it gets, or raises."""

    def send(self, parcel: Any, current: Any) -> Any:
        return parcel

    def refuse(self, current: Any) -> None:
        raise Refused("because", 7)

    def refuseAtLength(self, current: Any) -> None:
        raise Leaks.RefusedAtLength("because", 7, ["a", "b"], {"a": "b"})

    def refuseUndeclared(self, current: Any) -> None:
        raise Undeclared("because")

    def data(self, data: bytes, names: list[str], words: dict[str, str], current: Any) -> Any:
        return [Point(len(names), name) for name in names], names, words

    def proxy(self, given: Any, current: Any) -> Any:
        return given

    def maybe(self, given: Any, current: Any) -> Any:
        return given
