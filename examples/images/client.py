"""Fetches an image, whole or in chunks of which some are on their way at any time."""

import argparse
import sys
from collections import deque
from collections.abc import Iterator

from icegil import Ice

import Gallery

CHUNK = 512 * 1024  # bytes; well below the 1 MiB that Ice takes by default
IN_FLIGHT = 8


def chunks(images: Gallery.ImagesPrx, name: str) -> Iterator[bytes]:
    """The parts of an image in their order. Only so many are in memory, however large it is."""
    requests: deque[Ice.Future] = deque()
    for offset in range(0, images.size(name), CHUNK):
        if len(requests) == IN_FLIGHT:
            yield requests.popleft().result()
        requests.append(images.readAsync(name, offset, CHUNK))
    for request in requests:
        yield request.result()


def main(communicator: Ice.Communicator) -> int | str:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--whole", action="store_true", help="in one reply, which Ice.MessageSizeMax must allow")
    parser.add_argument("name")
    parser.add_argument("file", type=argparse.FileType("wb"))
    wanted = parser.parse_args(sys.argv[1:])
    images = Gallery.ImagesPrx.checkedCast(communicator.propertyToProxy("Gallery.Proxy"))
    try:
        parts = [images.wholeAsync(wanted.name).result()] if wanted.whole else chunks(images, wanted.name)
        sizes = [wanted.file.write(part) for part in parts]
    except Gallery.NoSuchImage:
        return f"there is no {wanted.name}"
    wanted.file.close()
    print(f"{sum(sizes)} bytes in {len(sizes)}")
    return 0


with Ice.initialize(sys.argv) as communicator:
    sys.exit(main(communicator))
