# Dispatches that wait for a coroutine on an event loop. The answer goes to IcePy from the loop's thread, with no future
# in between; who waits for a loop that will not run again is answered there and then, or the shutdown would wait too.
from cpython.contextvars cimport PyContext_CopyCurrent

from concurrent.futures import CancelledError
from inspect import CORO_CREATED, getcoroutinestate
from types import CoroutineType

cdef set dispatches = set()  # those without an answer; under the GIL
cdef bint dispatches_end = False  # the shutdown has begun
cdef object installed_dispatch = None  # what Ice itself does with the result of a servant's method
cdef object runs_on_loop = None  # `runCoroutine` of its adapter for asyncio while icegil is in place
cdef object say_dead = None  # called as `say_dead(loop)` for each that is failed
cdef object StrandedException = None


def set_dispatches(installed, run_coroutine, say, stranded, /):
    """What the dispatches need to know of the installed Ice. Called before there are any."""
    global installed_dispatch, runs_on_loop, say_dead, StrandedException
    installed_dispatch, runs_on_loop, say_dead, StrandedException = installed, run_coroutine, say, stranded


@cython.final
cdef class Dispatch(Queued):
    """A servant's coroutine on an event loop, and the request that waits for its answer."""

    cdef object answer  # has `response(result)` and `exception(error)`; None: it was given
    cdef object coroutine
    cdef object context
    cdef object loop
    cdef object task

    cdef int on_loop(self) except -1:
        if self.answer is None:
            return 0
        try:
            self.task = self.context.run(self.loop.create_task, self.coroutine)
            self.task.add_done_callback(self)
        except Exception as error:
            self.fail(error)
        return 0

    def __call__(self, task):
        if self.answer is None:  # stranded in the meantime
            return
        if task.cancelled():
            self.fail(CancelledError())
        elif (error := task.exception()) is not None:
            self.fail(error)
        elif (answer := self.take_answer()) is not None:
            try:
                answer.response(task.result())
            except BaseException as error:
                answer.exception(error)

    cdef object take_answer(self):
        answer, self.answer = self.answer, None
        dispatches.discard(self)
        return answer

    cdef int fail(self, error) except -1:
        answer = self.take_answer()
        if answer is not None:
            answer.exception(error)
        return 0

    cdef int drop(self) except -1:
        # Its coroutine is never resumed.
        global dropped
        if self.answer is None:
            return 0
        if self.task is not None:
            self.task._log_destroy_pending = False  # as asyncio.run does with its own
        if getcoroutinestate(self.coroutine) == CORO_CREATED:
            self.coroutine.close()  # or Python complains that it was never awaited
        say_dead(self.loop)
        dropped += 1
        return self.fail(StrandedException())


cdef bint is_dead(loop) except -1:
    # Whether nothing that is scheduled on it will run any more.
    return loop.is_closed() or (dispatches_end and not loop.is_running())


def run_on_loop(coroutine, loop, answer, /):
    """Runs a servant's coroutine on a loop; it ends in `answer.response(result)` or `answer.exception(error)`."""
    cdef Dispatch dispatch = Dispatch.__new__(Dispatch)
    dispatch.answer = answer
    dispatch.coroutine = coroutine
    dispatch.context = PyContext_CopyCurrent()  # of the thread whose request it is: many share one wake-up
    dispatch.loop = loop
    dispatches.add(dispatch)
    if not is_dead(loop):
        queue_of(loop).put(dispatch)
    if is_dead(loop):  # asked last, once it is in the list: nobody may look at this one any more
        dispatch.drop()


def fail_stranded_dispatches():
    """The shutdown has begun: fails what waits for a loop that does not run, now and from now on."""
    global dispatches_end
    dispatches_end = True
    for dispatch in list(dispatches):
        if is_dead((<Dispatch> dispatch).loop):
            (<Dispatch> dispatch).drop()


def leave_dispatches_to_parent():
    """In a forked child: the dispatches are the parent's."""
    global dispatches_end
    dispatches_end = False
    dispatches.clear()


def dispatch(callback, method, arguments, /):
    """`Ice.Dispatch.dispatch`: calls a servant's method, and has `callback` told what it came to."""
    result = method(*arguments)
    if type(result) is CoroutineType:
        adapter = arguments[-1].adapter.getCommunicator().eventLoopAdapter
        if getattr(getattr(adapter, "runCoroutine", None), "__func__", None) is runs_on_loop:
            run_on_loop(result, adapter._eventLoop, callback)
            return
    elif getattr(result, "add_done_callback", None) is None:
        callback.response(result)
        return
    installed_dispatch(callback, lambda *_: result, arguments)
