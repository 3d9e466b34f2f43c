"""`Ice.Future` and `Ice.InvocationFuture`, compiled: the classes that stand in for the installed ones."""

from __future__ import annotations

import builtins
import functools
import logging
import sys
import warnings
from types import FunctionType
from typing import Any

import icegil._bridge as _bridge
import icegil._compat as _compat


class _StandsFor(type):
    """What is an instance of the installed class is one of the class that stands in for it, and so for subclasses."""

    def __instancecheck__(cls, thing: object) -> bool:
        return vars(cls).get("_installed") in type(thing).__mro__ or super().__instancecheck__(thing)

    def __subclasscheck__(cls, other: type) -> bool:
        return vars(cls).get("_installed") in getattr(other, "__mro__", ()) or super().__subclasscheck__(other)


@functools.cache
def _metaclass(of: type[type]) -> type[Any]:
    return type("StandsFor", (_StandsFor, of), {})


def _stand_in(installed: type[Any], *bases: type[Any], **names: Any) -> type[Any]:
    meta = _metaclass(type(installed))  # type: ignore[arg-type]  # a class is hashable
    kept = {name: getattr(installed, name) for name in ("__module__", "__qualname__", "__doc__")}
    cls: type[Any] = meta(installed.__name__, (*bases, installed), {**kept, "_installed": installed, **names})
    return cls


def _completed(result: object) -> Any:
    """A future that is done, with this result."""
    future = _classes["Future"]()
    future.set_result(result)
    return future


def _add_done_callback_async(self: Any, fn: Any) -> None:
    """As `add_done_callback`; a late callback is called by a thread of Ice. Of Ice 3.7."""
    if not _bridge.add_while_running(self, fn):
        self._asyncResult.callLater(lambda: _call(self, fn, "done callback raised exception", self))


def _add_sent_callback_async(self: Any, fn: Any) -> None:
    """As `add_sent_callback`; a late callback is called by a thread of Ice. Of Ice 3.7."""
    if not _bridge.add_while_unsent(self, fn):
        is_at_once = self.is_sent_synchronously()
        self._asyncResult.callLater(lambda: _call(self, fn, "sent callback raised exception", self, is_at_once))


def _call(future: Any, fn: Any, what: str, *arguments: object) -> None:
    try:
        fn(*arguments)
    except BaseException:
        future._warn(what)


def _init_either(self: Any) -> None:
    # A thread may be in the installed `InvocationFuture.__init__` of Ice 3.7, about to look up the `Future` that is
    # being replaced: what it makes is one of the installed class. IcePy does not look whether that has worked.
    kind = _bridge.Future if isinstance(self, _bridge.Future) else vars(_classes["Future"])["_installed"]
    kind.__init__(self)


def _warn_of_failure(self: Any) -> None:
    """Warns of a call that has failed and whose result nobody has looked at; in development mode."""
    error = _bridge.unseen_error(self)
    if error is None or _bridge.is_finalizing():
        return
    if type(error).__name__ != "CommunicatorDestroyedException":  # that is what ends calls that nobody waits for
        what = " ".join(repr(error).split())  # Ice 3.7 writes it in several lines
        message = f"nobody has looked at the result of an asynchronous call, which has failed: {what}"
        warnings.warn(message, ResourceWarning, stacklevel=2, source=self)


def _report(future: Any, what: str) -> None:
    # As the installed class says it: where it has a method for that, by that.
    if hasattr(future, "_warn"):
        future._warn(what)
    elif what.startswith("sent") and not hasattr(future, "_callSentCallbacks"):
        logging.getLogger("Ice.Future").exception("%s: %s", what, sys.exc_info()[1])
    else:
        logging.getLogger("Ice.Future").exception(what)


_classes: dict[str, type[Any]] = {}


def classes(ice: Any) -> dict[str, type[Any]]:
    """The two classes, by their names in `Ice`. The same ones each time: futures outlive `uninstall`."""
    if not _classes:
        _bridge.set_futures(
            _report, ice.TimeoutException, ice.InvocationCanceledException, _compat.habits_of_futures(ice)
        )
        later: dict[str, Any] = {"__del__": _warn_of_failure} if sys.flags.dev_mode else {}
        if hasattr(ice.InvocationFuture, "add_done_callback_async"):
            later["add_done_callback_async"] = _add_done_callback_async
            later["add_sent_callback_async"] = _add_sent_callback_async
        names: dict[str, Any] = {"__init__": _init_either} if _compat.looks_future_up_in_ice(ice) else {}
        future = _stand_in(ice.Future, _bridge.Future, completed=staticmethod(_completed), **names)
        invocation = _stand_in(ice.InvocationFuture, _bridge.InvocationFuture, future, **later)
        _classes.update(Future=future, InvocationFuture=invocation)
    return _classes


def rebound(ice: Any) -> list[tuple[type[Any], str, Any]]:
    """Methods of the installed classes that look `Future` up where it is replaced, since Ice 3.7 defines them in `Ice`.

    Each as class, name, and the same function with the class that it means.
    """
    found = []
    for cls in (vars(each)["_installed"] for each in classes(ice).values()):
        for name, method in vars(cls).items():
            function = getattr(method, "__func__", method)
            if not isinstance(function, FunctionType) or function.__globals__ is not vars(ice):
                continue
            wanted = function.__code__.co_names
            if "Future" in wanted:
                names = {each: vars(ice)[each] for each in wanted if each in vars(ice)}
                names |= {"__builtins__": builtins, "Future": vars(classes(ice)["Future"])["_installed"]}
                same = FunctionType(function.__code__, names, function.__name__, function.__defaults__)
                found.append((cls, name, same if function is method else staticmethod(same)))
    return found


def own() -> None:
    """Has the bridge look after the references to the futures of calls."""
    _bridge.own_futures(_classes["InvocationFuture"], _compat.asynchronous_methods())


def disown() -> None:
    """Undoes `own`."""
    _bridge.disown_futures()
