"""What the Slice compiler knows: exceptions with members, instances of classes, sequences, dictionaries, proxies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import Ice

from tools.leaks.ends import IS_3_8, both_ends, each, fails, opened
from tools.leaks.operation import Work, operation

SLICE = ("loadSlice",)


def _post(operate: Callable[[Any], object], **more: Any) -> Iterator[Work]:
    from tools.leaks.operations import definitions

    with both_ends(definitions.Post(), **more) as ends:
        post = definitions.PostPrx.uncheckedCast(ends.proxy)
        yield each(lambda: operate(post))


def _refused(operate: Callable[[Any], object], error: type[BaseException] = Ice.UserException) -> Iterator[Work]:
    yield from _post(lambda post: fails(lambda: operate(post), error)())


@operation("servant raises a user exception, asynchronous", ice=SLICE)
def user_exception_asynchronous() -> Iterator[Work]:
    yield from _refused(lambda post: post.refuseAsync().result())


@operation("servant raises a user exception, synchronous", ice=SLICE)
def user_exception() -> Iterator[Work]:
    yield from _refused(lambda post: post.refuse())


@operation("user exception with sequence and dictionary, asynchronous", ice=SLICE)
def long_exception_asynchronous() -> Iterator[Work]:
    yield from _refused(lambda post: post.refuseAtLengthAsync().result())


@operation("user exception with sequence and dictionary, synchronous", ice=SLICE)
def long_exception() -> Iterator[Work]:
    yield from _refused(lambda post: post.refuseAtLength())


@operation("user exception that is not declared, asynchronous", ice=SLICE)
def undeclared_asynchronous() -> Iterator[Work]:
    yield from _refused(lambda post: post.refuseUndeclaredAsync().result(), Ice.UnknownUserException)


@operation("user exception that is not declared, synchronous", ice=SLICE)
def undeclared() -> Iterator[Work]:
    yield from _refused(lambda post: post.refuseUndeclared(), Ice.UnknownUserException)


def _parcel() -> Any:
    from tools.leaks.operations.definitions import Parcel

    return Parcel("outer", Parcel("inner", None))


@operation("instances of a class, asynchronous", ice=SLICE)
def instances_asynchronous() -> Iterator[Work]:
    yield from _post(lambda post: post.sendAsync(_parcel()).result())


@operation("instances of a class, synchronous", ice=SLICE)
def instances() -> Iterator[Work]:
    yield from _post(lambda post: post.send(_parcel()))


@operation("instances of a class in a cycle, synchronous", ice=SLICE)
def cycle() -> Iterator[Work]:
    def send(post: Any) -> None:
        parcel = _parcel()
        parcel.inner.inner = parcel
        post.send(parcel)

    yield from _post(send)


@operation("instances made by a slice loader in Python", ice=(*SLICE, "asyncio"))
def slice_loader() -> Iterator[Work]:
    def load(type_id: str) -> Any:
        return _parcel() if type_id == "::Leaks::Parcel" else None

    yield from _post(lambda post: post.send(_parcel()), sliceLoader=load)


@operation("instances made by a value factory in Python", ice=(*SLICE, "ValueFactoryManager"))
def value_factory() -> Iterator[Work]:
    from tools.leaks.operations import definitions

    with both_ends(definitions.Post()) as ends:
        ends.client.getValueFactoryManager().add(lambda type_id: _parcel(), "::Leaks::Parcel")
        post = definitions.PostPrx.uncheckedCast(ends.proxy)
        yield each(lambda: post.send(_parcel()))


ARGUMENTS = (b"bytes", ["one", "two"], {"one": "two"})


@operation("structures, sequences and dictionaries, asynchronous", ice=SLICE)
def data_asynchronous() -> Iterator[Work]:
    yield from _post(lambda post: post.dataAsync(*ARGUMENTS).result())


@operation("structures, sequences and dictionaries, synchronous", ice=SLICE)
def data() -> Iterator[Work]:
    yield from _post(lambda post: post.data(*ARGUMENTS))


@operation("proxies as argument and result, asynchronous", ice=SLICE)
def proxy_asynchronous() -> Iterator[Work]:
    yield from _post(lambda post: post.proxyAsync(post).result())


@operation("proxies as argument and result, synchronous", ice=SLICE)
def proxy() -> Iterator[Work]:
    yield from _post(lambda post: post.proxy(post))


@operation("optional argument and result, synchronous", ice=SLICE)
def optional() -> Iterator[Work]:
    def both(post: Any) -> None:
        post.maybe("given")
        post.maybe(None if IS_3_8 else Ice.Unset)

    yield from _post(both)


@operation("argument of the wrong type, asynchronous", ice=SLICE)
def wrong_type_asynchronous() -> Iterator[Work]:
    yield from _refused(lambda post: post.sendAsync("no parcel"), ValueError)


@operation("argument of the wrong type, synchronous", ice=SLICE)
def wrong_type() -> Iterator[Work]:
    yield from _refused(lambda post: post.send("no parcel"), ValueError)


class Locator(Ice.Locator):  # type: ignore[misc]
    """Knows one object, and is asked each time."""

    def __init__(self, found: Any) -> None:
        super().__init__()
        self._found = found

    def findObjectById(self, identity: Any, current: Any) -> Any:
        if identity.name == "it":
            return self._found
        raise Ice.ObjectNotFoundException

    def findObjectById_async(self, answer: Any, identity: Any, current: Any) -> None:  # as Ice 3.6 wants it
        answer.ice_response(self.findObjectById(identity, current))

    def findAdapterById(self, name: str, current: Any) -> Any:
        raise Ice.AdapterNotFoundException

    def getRegistry(self, current: Any) -> Any:
        return None


def _located(operate: Callable[[Any, Any], object]) -> Iterator[Work]:
    with both_ends() as ends, opened() as client:
        locator = ends.adapter.add(Locator(ends.adapter.createProxy(Ice.stringToIdentity("it"))), _identity("locator"))
        proxy = Ice.LocatorPrx.uncheckedCast(client.stringToProxy(str(locator)))
        yield each(lambda: operate(client, proxy))


def _identity(name: str) -> Any:
    return Ice.stringToIdentity(name)


@operation("request by way of a locator in Python, asynchronous")
def located_asynchronous() -> Iterator[Work]:
    yield from _located(
        lambda client, locator: (
            client.stringToProxy("it").ice_locator(locator).ice_locatorCacheTimeout(0).ice_pingAsync().result()
        )
    )


@operation("request by way of a locator in Python, synchronous")
def located() -> Iterator[Work]:
    yield from _located(
        lambda client, locator: client.stringToProxy("it").ice_locator(locator).ice_locatorCacheTimeout(0).ice_ping()
    )


@operation("locator in Python that finds nothing, asynchronous")
def not_located() -> Iterator[Work]:
    yield from _located(
        lambda client, locator: fails(
            client.stringToProxy("other").ice_locator(locator).ice_pingAsync().result, Ice.NotRegisteredException
        )()
    )


@operation("ObjectNotFoundException of Ice.Locator, asynchronous")
def object_not_found() -> Iterator[Work]:
    yield from _located(
        lambda client, locator: fails(
            locator.findObjectByIdAsync(_identity("other")).result, Ice.ObjectNotFoundException
        )()
    )
