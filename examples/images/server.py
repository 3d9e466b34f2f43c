"""Serves the images of a folder. Threads of its own read the files, and Ice's are free for the next request."""

import signal
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from icegil import Ice

import Gallery


class Images(Gallery.Images):
    """Each operation answers with a future, which Ice sends the reply of when it is done."""

    def __init__(self, folder: Path, readers: ThreadPoolExecutor) -> None:
        self._images = {path.name: path for path in folder.iterdir()}
        self._readers = readers

    def size(self, name: str, current: Ice.Current) -> int:
        return self._path(name).stat().st_size

    def read(self, name: str, offset: int, length: int, current: Ice.Current) -> "Future[bytes]":
        return self._readers.submit(_read, self._path(name), offset, length)

    def whole(self, name: str, current: Ice.Current) -> "Future[bytes]":
        return self._readers.submit(self._path(name).read_bytes)

    def _path(self, name: str) -> Path:
        try:
            return self._images[name]
        except KeyError:
            raise Gallery.NoSuchImage from None


def _read(path: Path, offset: int, length: int) -> bytes:
    with path.open("rb") as image:
        image.seek(offset)
        return image.read(length)


# The communicator is destroyed first, and waits for the replies; then the readers have nothing left to read.
with ThreadPoolExecutor(4) as readers, Ice.initialize(sys.argv) as communicator:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: communicator.shutdown())
    adapter = communicator.createObjectAdapter("Images")
    adapter.add(Images(Path(sys.argv[1]), readers), Ice.stringToIdentity("images"))
    adapter.activate()
    print("the images are ready", flush=True)
    communicator.waitForShutdown()
