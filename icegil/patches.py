"""What takes the place of Ice's own functions and methods, in every mode."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import icegil._compat as _compat
import icegil.adapters as adapters
import icegil.aio as aio
import icegil.dispatches as dispatches
import icegil.lifecycle as lifecycle
import icegil.making as making
import icegil.properties as properties


class Patch:
    """One attribute of a class or module, and what it is to be."""

    def __init__(self, owner: Any, name: str, replacement: Any) -> None:
        self.owner = owner
        self.name = name
        self.replacement = replacement
        self.original: Any = None
        self.was_there = False

    def put(self) -> None:
        """Puts it there, and remembers what was."""
        self.was_there = self.name in vars(self.owner)
        self.original = vars(self.owner).get(self.name)
        setattr(self.owner, self.name, self.replacement)

    def take_away(self) -> None:
        """Puts back what was there."""
        if self.was_there:
            setattr(self.owner, self.name, self.original)
        else:
            delattr(self.owner, self.name)


def of(ice: ModuleType, follow: Callable[[Any], None]) -> list[Patch]:
    """All of them, in the order in which they are to be put. `follow` is called with each communicator."""
    communicator = _compat.communicator_class(ice)
    initialize, destroy = communicator.__init__, communicator.destroy
    is_made_first = _compat.makes_communicators_first(ice)

    @functools.wraps(initialize)
    def watched_initialize(self: Any, *args: Any, **kwargs: Any) -> None:
        with making.noted(self):
            initialize(self, *args, **kwargs)
            lifecycle.watch(self, is_new=True)
        if not is_made_first:
            follow(self)

    @functools.wraps(destroy)
    def watched_destroy(self: Any) -> None:
        if lifecycle is None:  # Python has emptied this module, long after all of them were destroyed
            return
        lifecycle.watch(self).destroy_here(lambda: destroy(self))

    def enter(self: Any) -> Any:
        return self

    def leave(self: Any, *_: object) -> None:
        self.destroy()

    patches = [
        Patch(communicator, "__init__", watched_initialize),
        Patch(communicator, "destroy", watched_destroy),
        Patch(communicator, "__exit__", leave),
        Patch(communicator, "destroyAsync", aio.destroyAsync),
    ]
    if not hasattr(communicator, "__enter__"):  # on 3.6
        patches.append(Patch(communicator, "__enter__", enter))
    if is_made_first:
        patches.append(Patch(ice, "initialize", _watched(ice.initialize, follow)))
    icepy = sys.modules["IcePy"]
    patches.append(Patch(icepy, "createProperties", _with_own_words(icepy.createProperties)))
    if not hasattr(communicator, "__aexit__"):
        patches += [
            Patch(communicator, "__aenter__", aio.enter),
            Patch(communicator, "__aexit__", aio.leave),
        ]
    patches.append(Patch(communicator, "shutdownCompleted", aio.shutdownCompleted))
    for name in ("createObjectAdapterWithEndpoints", "createObjectAdapterWithRouter"):
        patches.append(Patch(communicator, name, adapters.unnamed.create_with(getattr(communicator, name))))
    object_adapter = _compat.object_adapter_class(ice)
    patches.append(Patch(object_adapter, "destroy", adapters.unnamed.destroy_with(object_adapter.destroy)))
    for home in _compat.wrap_future_homes():
        patches.append(Patch(home, "wrap_future", aio.safe_wrap_future(vars(home)["wrap_future"])))
    loop_adapter = _compat.event_loop_adapter_class()
    if loop_adapter is not None:
        patches.append(Patch(loop_adapter, "wrapFuture", aio.wrap_on_loop))
    patches += [Patch(owner, name, function) for owner, name, function in dispatches.replacements(ice)]
    return patches


def _watched(initialize: Callable[..., Any], follow: Callable[[Any], None]) -> Callable[..., Any]:
    @functools.wraps(initialize)
    def watched(*args: Any, **kwargs: Any) -> Any:
        with making.noted(object()):
            communicator = initialize(*args, **kwargs)
        # From 3.8 on Ice makes properties of the words first, with `createProperties`.
        properties.take_words(_words_of(args, kwargs), communicator._impl.getProperties())
        follow(communicator)
        return communicator

    return watched


def _with_own_words(create: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create)
    def create_properties(*args: Any, **kwargs: Any) -> Any:
        made = create(*args, **kwargs)
        properties.take_words(_words_of(args, kwargs), made)
        return made

    return create_properties


def _words_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
    """The command line that one of Ice's functions was given, which takes out of it what it knows."""
    return args[0] if args else kwargs.get("args")
