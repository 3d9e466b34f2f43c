# The futures of calls: those of a proxy's methods, made by IcePy.
cimport cython
from cpython.ref cimport PyObject

# Under the GIL.
cdef unsigned long long calls_begun = 0
cdef unsigned long long calls_over = 0


def futures():
    """Futures that are alive; calls of proxies that were begun, and that are over."""
    return {"alive": futures_alive, "begun": calls_begun, "over": calls_over}


@cython.auto_pickle(False)
cdef class InvocationFuture(Future):
    """The future of a call of a proxy, which knows of the request too: whether it was sent, and how to cancel it."""

    cdef bint is_counted
    cdef bint was_sent
    cdef bint was_sent_synchronously
    cdef list sent_callbacks
    cdef object context  # of IcePy's; on Ice 3.7 an `AsyncResult`
    cdef object name  # of the operation, on Ice 3.7

    def __init__(self, *arguments):
        global calls_begun
        self.name, self.context = arguments if is_of_3_7 else (None, *arguments)
        if self.context is None:
            raise AssertionError("a call of a proxy has a context")
        if not self.is_counted:
            self.is_counted = True
            calls_begun += 1
        note_future(<PyObject*> self)

    def __dealloc__(self):
        global calls_over
        if self.is_counted and self.state == RUNNING:
            calls_over += 1

    cdef int complete(self, FutureState state, outcome, error) except -1:
        # What cancels the call holds the call, which holds the future where IcePy was told of the end before it had
        # stored it: a cycle that nobody sees. Once it is over there is nothing to cancel. The call itself is still
        # held by whoever calls this, so what goes here ends no thread.
        global calls_over
        cdef object context = self.context
        calls_over += self.is_counted
        if state == DONE and not is_of_3_7:
            self.context = None
        return Future.complete(self, state, outcome, error)

    cdef bint is_waited_for(self, bint sent):
        if sent:
            return not self.was_sent and (sent_waits_for_sent_alone or self.state == RUNNING)
        return self.state == RUNNING

    cdef int call_sent(self, list callbacks) except -1:
        for callback in callbacks:
            try:
                self.call_one_sent(callback)
            except caught_of_sent_callbacks:
                report(self, "sent callback raised exception")
        return 0

    cdef int call_one_sent(self, callback) except -1:
        if is_of_3_7:
            callback(self, self.was_sent_synchronously)
        else:
            callback(self.was_sent_synchronously)
        return 0

    @property
    def _asyncResult(self):
        return self.context

    @property
    def _operation(self):
        return self.name

    def cancel(self):
        """Cancels the call, as far as this end can: what it would have answered is ignored. False: it is over."""
        if is_of_3_7:
            self.context.cancel()
        is_cancelled = Future.cancel(self)
        if is_cancelled and not is_of_3_7:
            self.context.cancel()
        return is_cancelled

    def is_sent(self):
        """Whether the request was sent."""
        return self.was_sent

    def is_sent_synchronously(self):
        """Whether the request was sent at once, by the thread that made the call."""
        return self.was_sent_synchronously

    def add_sent_callback(self, fn):
        """Has `fn` called when the request is sent; at once if it was."""
        if self.add_while_unsent(fn):
            return
        if late_callbacks_may_raise:
            self.call_one_sent(fn)
        else:
            self.call_sent([fn])

    cdef bint add_while_unsent(self, fn) except -1:
        cdef list first = [fn]
        if self.was_sent:
            return False
        if self.sent_callbacks is None:
            self.sent_callbacks = first
        else:
            self.sent_callbacks.append(fn)
        return True

    def sent(self, timeout=None):
        """Waits up to `timeout` seconds for the request to be sent; whether it was at once."""
        if not self.wait(timeout, True):
            raise TimeoutException()
        if self.state == CANCELLED:
            raise InvocationCanceledException()
        if self.error is not None:
            raise self.error
        return self.was_sent_synchronously

    def set_sent(self, sentSynchronously):
        """For IcePy: the request was sent."""
        cdef list callbacks = self.sent_callbacks
        if not self.was_sent:
            self.was_sent = True
            self.was_sent_synchronously = sentSynchronously
            self.sent_callbacks = None
            self.wake()
            if callbacks is not None:
                self.call_sent(callbacks)


def unseen_error(InvocationFuture future, /):
    """What the call has failed with, if nobody has asked for it."""
    return None if future.is_seen else future.error


def add_while_unsent(InvocationFuture future, fn, /):
    """As `add_sent_callback`; False, and `fn` is not called, if the request was sent."""
    return future.add_while_unsent(fn)
