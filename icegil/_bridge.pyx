# cython: language_level=3, embedsignature=False, binding=False
# distutils: language=c++
"""The boundary: the only place in which C++ threads and Python meet. Its subjects stand in `bridge/`, one a file.

Rules, referred to there by their numbers:

1. Enter the gate, then take the GIL; let the GIL go, then leave the gate. Never the other way round: a thread that is
   counted is waited for, so whoever has or wants the GIL must be counted for as long.
2. Every function that native code calls is `noexcept nogil`. What touches Python in it is inside a `with gil:`, or, in
   a redirected function, between the acquire and the release that it stands for.
3. A thread that the gate refuses touches nothing of Python: no call, no reference. What it was to do is dropped.
   Refused are native threads that come from outside. Whoever may hold a lock of Python's, a thread of Python or one
   that is inside, goes on until Python itself stops it.
4. A Python reference carried by a native thread has one owner, and is dropped with the GIL held, inside the gate.
5. A Python call may let the GIL go for a while, and finalization may be tried in that gap. Being counted is what makes
   it wait; a debug build checks after each such call that the GIL is held again.
6. A thread state that the bridge keeps is freed by its own thread, or not at all.

What stands in for a foreign function is named after it: `on_PyGILState_Ensure`.
"""
from icegil.bridge.gate cimport Counters, Gate, Occupant, State, Visitor
from icegil.bridge.interpreter cimport Py_IsFinalizing, Py_IsInitialized
from icegil.bridge.posix cimport pthread_atfork
from icegil.bridge.schedule cimport Point, schedule
from icegil.bridge.thread cimport this_thread
from icegil.bridge.trace cimport TraceKind, trace

import os

# --- The gate of this process ---------------------------------------------------------------------------------------

# Never destroyed: native threads may come by for as long as the process lives.
cdef Gate* gate = new Gate()
cdef unsigned long long dropped = 0  # under the GIL


cdef Gate* process_gate() noexcept nogil:
    return gate


cdef Visitor* this_visitor() noexcept nogil:
    return &this_thread(gate[0]).visitor


cdef void enter_or_park(
    Visitor* me,
) noexcept nogil:
    if not gate.try_enter(me[0]):
        trace(TraceKind.refused)
        park(me)
    if me.depth() != 1 and is_too_late(me):  # who is inside may always come in again, while there is a Python
        park(me)
    schedule(Point.entered)


cdef bint is_too_late(
    Visitor* me,
) noexcept nogil:
    # Python finalizes, or has: from then on it stops everybody but the finalizer itself (ceval_gil.c, take_gil), but
    # looks for that into a thread state that may be gone. Asked once the gate is closed: until then it costs a load.
    return gate.state() != State.open and (Py_IsFinalizing() or not Py_IsInitialized()) and not me.is_finalizer()


cdef void park(
    Visitor* me,
) noexcept nogil:
    trace(TraceKind.parked)
    schedule(Point.parked)
    gate.park(me[0])


cdef void renew_in_child() noexcept nogil:
    gate.renew_in_child(this_visitor()[0])
    leave_trace_to_parent()
    leave_kept_states_to_parent()
    begin_as_main_thread()


def is_finalizing():
    return gate.state() != State.open or Py_IsFinalizing()


def gate_state():
    cdef State state = gate.state()
    return "open" if state == State.open else "draining" if state == State.draining else "sealed"


def counters():
    cdef Counters now = gate.counters()
    return {
        "admitted": now.admitted,
        "refused": now.refused,
        "parked": now.parked,
        "inside": now.inside,
        "most": now.most,
        "dropped": dropped,
    }


def count_dropped():
    global dropped
    dropped += 1


def occupants():
    cdef Occupant each
    return [(each.thread, each.native_id, each.seconds) for each in gate.occupants()]


def keep_time():
    gate.keep_time()


def is_inside():
    return this_visitor().depth() != 0


# --- The subjects ---------------------------------------------------------------------------------------------------

include "bridge/crossings.pxi"  # IcePy's ways into Python and out again, and the thread states that are kept
include "bridge/look_ups.pxi"  # the modules that IcePy looks up, also when Python has none any more
include "bridge/waits.pxi"  # nobody waits inside Ice with the GIL in hand: locks and conditions
include "bridge/joins.pxi"  # nor for the end of a thread, a future, a name
include "bridge/futures.pxi"  # what an asynchronous operation comes to, and who wants to know
include "bridge/loops.pxi"  # the same on an event loop, many at a time
include "bridge/dispatches.pxi"  # servants that are coroutines, on such a loop
include "bridge/invocations.pxi"  # the same of a call of a proxy
include "bridge/ownership.pxi"  # nothing is kept: the references to those futures
include "bridge/signals.pxi"  # what a signal handler raises below IcePy reaches the program
include "bridge/leaving.pxi"  # the gate is closed, threads end, the process ends
include "bridge/native_threads.pxi"  # threads of the bridge's own, which Python could not start
include "bridge/timeline.pxi"  # what is recorded of all that
include "bridge/slots.pxi"  # which imports of which loaded objects lead to the functions above

# Without memory for the handler, Python's own forks are at least known.
if pthread_atfork(NULL, NULL, renew_in_child) != 0:
    os.register_at_fork(after_in_child=lambda: renew_in_child())
