# Futures, as Ice for Python answers an asynchronous call with them: each change of state is one step under the GIL, so
# there is no lock that a signal handler could leave taken, and nobody pays for a condition that nobody waits on. Who
# waits in a thread waits without the GIL, for a lock of his own. The classes are those that `icegil/futures.py` makes
# of these and of the installed ones; `habits` are what the installed ones do that other versions of Ice do not.
#
# One step: from the look at a state to what is done about it no Python runs. What is needed is made before the look,
# since the garbage collector may run then (up to 3.11), and whatever runs in Python lets other threads in between.
cimport cython
from cpython.exc cimport PyErr_CheckSignals
from cpython.ref cimport PyObject

from _thread import allocate_lock
from time import monotonic

cdef enum FutureState:
    RUNNING
    CANCELLED
    DONE

cdef unsigned long long futures_alive = 0  # under the GIL

cdef object report = None  # called as `report(future, what)` with the exception of a callback set
cdef object TimeoutException = None
cdef object InvocationCanceledException = None
cdef bint late_callbacks_may_raise = False
cdef bint zero_is_for_ever = False
cdef bint sent_waits_for_sent_alone = False
cdef bint is_of_3_7 = False
cdef object caught_of_sent_callbacks = Exception


def set_futures(reporter, timeout, cancelled, dict habits, /):
    """What the futures need to know of the installed Ice. Called once, before there are any."""
    global report, TimeoutException, InvocationCanceledException
    global late_callbacks_may_raise, zero_is_for_ever, sent_waits_for_sent_alone, is_of_3_7
    global caught_of_sent_callbacks
    report, TimeoutException, InvocationCanceledException = reporter, timeout, cancelled
    late_callbacks_may_raise = habits["late_callbacks_may_raise"]
    zero_is_for_ever = habits["zero_is_for_ever"]
    sent_waits_for_sent_alone = habits["sent_waits_for_sent_alone"]
    is_of_3_7 = habits["is_of_3_7"]
    caught_of_sent_callbacks = habits["caught_of_sent_callbacks"]


@cython.auto_pickle(False)
cdef class Future:
    """The state of an asynchronous operation, and who wants to know of its end."""

    cdef FutureState state
    cdef object outcome
    cdef object error
    cdef list callbacks  # None: there are none
    cdef bint is_seen  # whether somebody has asked what it came to
    cdef list waiters  # locks, each taken by the thread that waits for it

    def __cinit__(self, *_, **__):
        global futures_alive
        futures_alive += 1
        self.state = RUNNING

    def __dealloc__(self):
        global futures_alive
        futures_alive -= 1

    def __init__(self):
        pass

    def __await__(self):
        if self.state == RUNNING:
            yield self
        return self.result()

    cdef int complete(self, FutureState state, outcome, error) except -1:
        cdef list callbacks = self.callbacks
        self.outcome = outcome
        self.error = error
        self.callbacks = None
        self.state = state
        self.wake()
        if callbacks is not None:
            self.call(callbacks)
        return 0

    cdef int wake(self) except -1:
        cdef list waiters = self.waiters
        if waiters is not None:
            self.waiters = None
            for lock in waiters:
                lock.release()
        return 0

    cdef int call(self, list callbacks) except -1:
        for callback in callbacks:
            try:
                if type(callback) is Link:
                    (<Link> callback).queue.put(callback)
                else:
                    callback(self)
            except BaseException as error:
                if not is_of_3_7 and not isinstance(error, Exception):
                    raise
                report(self, "done callback raised exception")
        return 0

    cdef bint is_waited_for(self, bint sent):
        return self.state == RUNNING

    cdef bint wait(self, timeout, bint sent) except -1:
        # False: it took too long. On the main thread a signal may come when Python has looked for one and the wait has
        # not begun, which it would interrupt: there is another look, soon, and then less and less often.
        cdef double look = 0.01  # seconds
        if not self.is_waited_for(sent):
            return True
        for_ever = timeout is None or (zero_is_for_ever and not timeout)
        deadline = None if for_ever else monotonic() + timeout
        while self.is_waited_for(sent):
            if not for_ever:
                timeout = deadline - monotonic()
                if timeout <= 0:
                    return False
            lock = allocate_lock()
            lock.acquire()
            if self.waiters is None:
                self.waiters = []
            self.waiters.append(lock)
            try:
                if self.is_waited_for(sent) and is_main_thread():
                    lock.acquire(True, look if for_ever else min(look, timeout))
                    PyErr_CheckSignals()
                    look = min(2 * look, 1.0)
                elif self.is_waited_for(sent):
                    lock.acquire(True, -1 if for_ever else timeout)
            finally:
                if self.waiters is not None and lock in self.waiters:
                    self.waiters.remove(lock)
        return True

    cdef int require_end(self, timeout) except -1:
        if not self.wait(timeout, False):
            raise TimeoutException()
        self.is_seen = True
        if self.state == CANCELLED:
            raise InvocationCanceledException()
        return 0

    def cancel(self):
        """Cancels this future. False: it has completed."""
        if self.state == RUNNING:
            self.complete(CANCELLED, None, None)
            return True
        return self.state == CANCELLED

    def cancelled(self):
        """Whether this future was cancelled."""
        return self.state == CANCELLED

    def running(self):
        """Whether this future has neither completed nor been cancelled."""
        return self.state == RUNNING

    def done(self):
        """Whether this future has completed or been cancelled."""
        return self.state != RUNNING

    def add_done_callback(self, fn):
        """Has `fn(future)` called when this future is done, by the thread that has it done; at once if it is."""
        if self.add_while_running(fn):
            return
        if late_callbacks_may_raise:
            fn(self)
        else:
            self.call([fn])

    cdef bint add_while_running(self, fn) except -1:
        cdef list first = [fn]
        if self.state != RUNNING:
            return False
        if self.callbacks is None:
            self.callbacks = first
        else:
            self.callbacks.append(fn)
        return True

    def result(self, timeout=None):
        """The result, waited for up to `timeout` seconds; raises what the operation has raised."""
        self.require_end(timeout)
        if self.error is not None:
            raise self.error
        return self.outcome

    def exception(self, timeout=None):
        """What the operation has raised, or None; waited for up to `timeout` seconds."""
        self.require_end(timeout)
        return self.error

    def set_result(self, result):
        """Completes this future. Without effect on one that is done."""
        if self.state == RUNNING:
            self.complete(DONE, result, None)

    def set_exception(self, ex):
        """Completes this future with an exception. Without effect on one that is done."""
        if self.state == RUNNING:
            self.complete(DONE, None, ex)


def add_while_running(Future future, fn, /):
    """As `add_done_callback`; False, and `fn` is not called, if the future is done."""
    return future.add_while_running(fn)
