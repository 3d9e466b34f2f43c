# Completions on an event loop. Those that come while the loop is on its way to look are one look: a queue for each
# loop, and one wake-up for all that is in it.
from weakref import WeakKeyDictionary, ref

cdef object loop_queues = WeakKeyDictionary()  # under the GIL, as all here


@cython.final
cdef class LoopQueue:
    """What has completed and is to be told to the futures of one event loop, in order."""

    cdef object loop  # weak: a queue is found by its loop, and goes with it
    cdef list links
    cdef bint is_to_run

    def __init__(self, loop):
        self.loop = ref(loop)
        self.links = []

    cdef int put(self, Link link) except -1:
        loop = self.loop()
        self.links.append(link)
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
        return 0

    cdef int drop(self) except -1:
        # Nobody can wait there any more.
        global dropped
        dropped += len(self.links)
        self.links = []
        return 0

    def run(self):
        """On the loop's thread."""
        cdef list links = self.links
        cdef Py_ssize_t told = 0
        self.links = []
        self.is_to_run = False
        try:
            for link in links:
                told += 1
                (<Link> link).tell()
        finally:
            if told < len(links):  # one has raised: the loop is told of it, and the others have their turn
                self.links = links[told:] + self.links
                self.is_to_run = True
                self.loop().call_soon(self.run)


@cython.final
cdef class Link:
    """An operation of Ice and the event loop's future that stands for it: what becomes of one becomes of the other."""

    cdef Future operation
    cdef object awaited
    cdef LoopQueue queue

    cdef int tell(self) except -1:
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
        link.tell()
        return awaited
    queue = loop_queues.get(loop)
    if queue is None:
        queue = loop_queues.setdefault(loop, LoopQueue(loop))
    link.queue = queue
    awaited.add_done_callback(link)
    operation.add_while_running(link)
    return awaited
