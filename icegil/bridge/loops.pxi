# What other threads have for an event loop: completions, and dispatches of coroutines. Those that come while the loop
# is on its way to look are one look: a queue for each loop, and one wake-up for all that is in it.
from weakref import WeakKeyDictionary, ref

cdef object loop_queues = WeakKeyDictionary()  # under the GIL, as all here


cdef class Queued:
    """Something that is to be done on the thread of an event loop."""

    cdef int on_loop(self) except -1:
        raise NotImplementedError

    cdef int drop(self) except -1:
        # The loop is closed.
        raise NotImplementedError


@cython.final
cdef class LoopQueue:
    """What is to be done on the thread of one event loop, in order."""

    cdef object loop  # weak: a queue is found by its loop, and goes with it
    cdef list entries
    cdef bint is_to_run

    def __init__(self, loop):
        self.loop = ref(loop)
        self.entries = []

    cdef int put(self, Queued entry) except -1:
        loop = self.loop()
        self.entries.append(entry)
        if loop is None:
            return self.drop()
        if self.is_to_run and not loop.is_closed():
            return 0
        self.is_to_run = True
        try:
            loop.call_soon_threadsafe(self.run)
        except RuntimeError:
            self.is_to_run = False
            if not loop.is_closed():
                raise
            self.drop()
        except BaseException:  # a signal handler's, in the middle of it: once more does no harm, never would
            loop.call_soon_threadsafe(self.run)
            raise
        return 0

    cdef int drop(self) except -1:
        cdef list entries = self.entries
        self.entries = []
        for entry in entries:
            (<Queued> entry).drop()
        return 0

    def run(self):
        """On the loop's thread."""
        cdef list entries = self.entries
        cdef Py_ssize_t done = 0
        self.entries = []
        self.is_to_run = False
        try:
            for entry in entries:
                done += 1
                (<Queued> entry).on_loop()
        finally:
            if done < len(entries):  # one has raised: the loop is told of it, and the others have their turn
                self.entries = entries[done:] + self.entries
                self.is_to_run = True
                self.loop().call_soon(self.run)


cdef LoopQueue queue_of(loop):
    queue = loop_queues.get(loop)
    return queue if queue is not None else loop_queues.setdefault(loop, LoopQueue(loop))


@cython.final
cdef class Link(Queued):
    """An operation of Ice and the event loop's future that stands for it: what becomes of one becomes of the other."""

    cdef Future operation
    cdef object awaited
    cdef LoopQueue queue

    cdef int on_loop(self) except -1:
        awaited, operation = self.awaited, self.operation
        if awaited.done():
            return 0
        awaited.remove_done_callback(self)
        operation.is_seen = True
        if operation.state == CANCELLED:
            awaited.cancel()
        elif operation.error is not None:
            awaited.set_exception(operation.error)
        else:
            awaited.set_result(operation.outcome)
        return 0

    cdef int drop(self) except -1:
        # Nobody can wait there any more.
        global dropped
        dropped += 1
        return 0

    def __call__(self, awaited):
        # The program is done with it first: it has cancelled it, mostly.
        if self.operation.state != RUNNING:
            return
        if awaited.cancelled():
            self.operation.cancel()
        elif awaited.exception() is not None:
            self.operation.set_exception(awaited.exception())
        else:
            self.operation.set_result(awaited.result())


def awaited_on(loop, Future operation, /):
    """A future of this event loop, asyncio's or one like it, for an operation of Ice; as `Ice.wrap_future`."""
    cdef Link link = Link.__new__(Link)
    link.operation = operation
    link.awaited = awaited = loop.create_future()
    if operation.state != RUNNING:
        link.on_loop()
        return awaited
    link.queue = queue_of(loop)
    awaited.add_done_callback(link)
    if not operation.add_while_running(link):  # it has completed in the meantime, on a thread of Ice
        link.queue.put(link)
    return awaited
