"""A Slice class, and an interface that takes and answers instances of it; compiled on the spot."""

import pathlib
import tempfile

import Ice

DEFINITIONS = """
module Torture
{
    class Parcel { Parcel inner; }
    interface Post { Parcel send(Parcel parcel); }
}
"""

with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "Torture.ice")
    path.write_text(DEFINITIONS)
    if Ice.intVersion() < 30800:
        Ice.loadSlice("", [str(path)])
    else:
        Ice.loadSlice([str(path)])

import Torture  # noqa: E402

Parcel, PostPrx = Torture.Parcel, Torture.PostPrx


class Post(Torture.Post):
    """Answers each parcel with itself."""

    def send(self, parcel, current):
        return parcel
