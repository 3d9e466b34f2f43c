"""Object adapters that Ice makes up a name for: the properties that it sets for each go with the adapter."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any


class Unnamed:
    """The names that were made up, each with its communicator.

    For an adapter Ice sets `name.Endpoints`, or some six properties of its router, and never takes them away
    (`createObjectAdapterWithEndpoints` in Communicator.cpp, 3.7: CommunicatorI.cpp). The next adapter of that name sets
    them again; a made-up name comes once. It is made up here, not by Ice, so that it is known also when Ice raises: the
    address is in use, and the program tries again and again.

    What runs at a destruction looks for nothing in this module: a `__del__` may come when Python has emptied it.
    """

    def __init__(self) -> None:
        self._communicators: dict[str, weakref.ref[Any]] = {}

    def create_with(self, create: Callable[..., Any]) -> Callable[..., Any]:
        """What takes the place of `createObjectAdapterWith...`, with the name made up here if the program has none."""

        @functools.wraps(create)
        def create_adapter(communicator: Any, name: str | None, *args: Any, **kwargs: Any) -> Any:
            if not (name is None or name == ""):  # None is an empty one to IcePy (Util.cpp, getStringArg)
                return create(communicator, name, *args, **kwargs)
            name = self._make_up(communicator)
            try:
                return create(communicator, name, *args, **kwargs)
            except BaseException:
                self._forget(name)
                raise

        return create_adapter

    def destroy_with(self, destroy: Callable[[Any], None]) -> Callable[[Any], None]:
        """What takes the place of `destroy` of object adapters."""

        @functools.wraps(destroy)
        def destroy_adapter(adapter: Any) -> None:
            name = adapter.getName()
            destroy(adapter)
            self._forget(name)

        return destroy_adapter

    def _make_up(self, communicator: Any) -> str:
        import uuid  # not at the top: most programs never need it

        name = str(uuid.uuid4()).upper()
        communicators = self._communicators
        communicators[name] = weakref.ref(communicator, lambda _: communicators.pop(name, None))
        return name

    def _forget(self, name: str) -> None:
        reference = self._communicators.pop(name, None)
        communicator = None if reference is None else reference()
        if communicator is not None:
            properties = communicator._impl.getProperties()
            for key in properties.getPropertiesForPrefix(f"{name}."):
                properties.setProperty(key, "")


unnamed = Unnamed()
