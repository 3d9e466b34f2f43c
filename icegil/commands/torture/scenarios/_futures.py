"""Ice 3.6 has no futures: proxies with the asynchronous calls of 3.7, made of `begin_` calls and their callbacks."""

import concurrent.futures

import Ice


class Future(concurrent.futures.Future):
    """The little of `Ice.InvocationFuture` that is used here."""

    def __init__(self):
        super().__init__()
        self._sent = concurrent.futures.Future()

    def cancel(self):
        # It is over when Ice says so, or the call is answered: one of both comes first, on a thread of Ice.
        if (request := self.request) is None:
            return False
        request.cancel()
        return True

    def add_sent_callback(self, callback):
        self._sent.add_done_callback(lambda sent: callback(self, sent.result()))

    def is_sent(self):
        return self._sent.done()


class Proxy:
    """A proxy, and futures."""

    def __init__(self, proxy):
        self.real = proxy

    def __getattr__(self, name):
        if name.endswith("Async"):
            begin = getattr(self.real, f"begin_{name[:-5]}")
            is_request = name != "ice_getConnectionAsync"
            return lambda *arguments: _future(begin, arguments, is_request)
        found = getattr(self.real, name)

        def call(*arguments, **keywords):
            answer = found(*arguments, **keywords)
            return Proxy(answer) if isinstance(answer, Ice.ObjectPrx) else answer

        return call if callable(found) else found

    def __str__(self):
        return str(self.real)


def forget_request(future):
    """The request holds its callbacks, and they the future: a cycle that the garbage collector does not see."""
    future.request = None


def _future(begin, arguments, is_request):
    future = Future()

    def response(*results):
        if future.set_running_or_notify_cancel():
            future.set_result(results if len(results) > 1 else results[0] if results else None)

    def failed(error):
        if future.set_running_or_notify_cancel():
            future.set_exception(error)

    sent = {"_sent": future._sent.set_result} if is_request else {}
    future.request = request = begin(*arguments, _response=response, _ex=failed, **sent)
    future.add_done_callback(forget_request)
    if is_request and not request.getProxy().ice_isTwoway():  # there is no response
        future._sent.add_done_callback(lambda _: response())
    return future


def with_futures(proxy):
    """The proxy itself, or on 3.6 one that has futures."""
    return proxy if hasattr(Ice, "Future") else Proxy(proxy)
