"""The admin facet `IceGil`: status and snapshot of the process in JSON, over Ice's own admin facility.

Nothing listens for it that Ice does not have listen: who reaches a communicator's `Process` facet reaches this one.
`docs/IceGil.ice` describes it; it is encoded here, since nothing that Slice compiles may be needed.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import os
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import icegil._bridge as _bridge
import icegil.guard as guard
import icegil.versions as versions
import icegil.views as views

NAME = "IceGil"
TYPE = "::Gil::Process"
_IDS = (TYPE, "::Ice::Object")


def add(communicator: Any, ice: Any) -> None:
    """Adds the facet to a communicator, which alone holds it; the facet holds nothing."""
    _bridge.keep_time()  # a snapshot that comes later says for how long callbacks have been inside
    # It has one if icegil was installed, taken away, and is installed again.
    with contextlib.suppress(ice.AlreadyRegisteredException):
        communicator._impl.addAdminFacet(_class(ice)(), NAME)


def status() -> dict[str, Any]:
    """What `status` answers with: as `icegil.status`, with the process, and who decided on the settings."""
    settings = {name: {**vars(setting)} for name, setting in guard.settings_in_use().items()}
    found = {"icegil": versions.ICEGIL, "process": os.getpid(), **asdict(guard.status()), "settings": settings}
    for each in (found, *settings.values()):
        for name, value in each.items():
            if isinstance(value, float) and math.isinf(value):  # for which JSON has no number
                each[name] = None
    return found


def snapshot() -> dict[str, Any]:
    """What `snapshot` answers with: as `icegil.snapshot`, without the callback that asks."""
    found = asdict(views.snapshot())
    me = threading.get_ident()
    found["callbacks"] = [each for each in found["callbacks"] if each["thread"] != me]
    return found


def _json(answer: Callable[[], dict[str, Any]]) -> Callable[[bytes], bytes]:
    return lambda _: _string(json.dumps(answer()))


_OPERATIONS: dict[str, Callable[[bytes], bytes]] = {
    "status": _json(status),
    "snapshot": _json(snapshot),
    "ice_ping": lambda _: b"",
    "ice_id": lambda _: _string(TYPE),
    "ice_ids": lambda _: _size(len(_IDS)) + b"".join(map(_string, _IDS)),
    "ice_isA": lambda arguments: bytes([arguments in map(_string, _IDS)]),
}


@functools.cache
def _class(ice: Any) -> Any:
    def ice_invoke(self: object, encapsulation: bytes, current: Any) -> tuple[bool, bytes]:
        operation = _OPERATIONS.get(current.operation)
        if operation is None:
            raise ice.OperationNotExistException()  # Ice says which
        version = encapsulation[4:6]
        result = operation(encapsulation[6:])
        return True, (6 + len(result)).to_bytes(4, "little") + version + result

    return type("Facet", (ice.Blobject,), {"ice_invoke": ice_invoke})


def _string(text: str) -> bytes:
    return _size(len(text)) + text.encode("ascii")  # as JSON is that Python writes


def _size(number: int) -> bytes:
    return bytes([number]) if number < 255 else b"\xff" + number.to_bytes(4, "little")
