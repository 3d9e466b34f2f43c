/* The finalization gate and its users as a model that can be searched through completely.
 *
 * What stands for what: each inline and each process names the function in include/icegil/gate.hpp ("Gate::...") or in
 * icegil/_bridge.pyx ("bridge: ...") that it is. docs/assurance.md says what is left out and what is assumed.
 *
 * Configurations, chosen with -D:
 *   CALLBACKS=n       threads of Ice (2)
 *   ENTRIES=n         outer entries of each of them (1)
 *   PYTHON            a thread of Python that comes back from a blocking call
 *   DEADLINE          the finalizer may give up; a callback may be stuck for ever, or run for ever
 *   FINALIZER_INSIDE  the finalizer is itself inside the gate: sys.exit() in a callback
 *   FORK              each thread may fork once, with the GIL held; what is searched then is the child
 *   LOCKS             callbacks come with a lock of Ice in hand that the thread of Python wants
 * and BROKEN_...: a gate or a user with one mistake, which the search must find.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef CALLBACKS
#define CALLBACKS 2
#endif
#ifndef ENTRIES
#define ENTRIES 1
#endif

/* Threads: the main one, the callbacks from 1 on, the one of Python. */
#define MAIN 0
#define PYTHON_THREAD (CALLBACKS + 1)
#define THREADS (CALLBACKS + 2)
#define NOBODY THREADS

/* --- The gate ---------------------------------------------------------------------------------------------------- */

#define OPEN 0
#define DRAINING 1
#define SEALED 2

/* Gate::word_. Two variables; whatever is one atomic operation on the word is one d_step on both. */
byte state = OPEN;
byte inside = 0;

byte mutex = NOBODY;      /* Gate::mutex_: who has it */
bool asleep = false;      /* Gate::emptier_: the finalizer, the only one who waits, sleeps and was not woken */
byte finalizer = NOBODY;  /* Visitor::is_finalizer_, true of one visitor at most */
byte depth[THREADS];      /* Visitor::depth_ */
bool listed[THREADS];     /* Visitor::is_listed_ */

/* --- CPython and the runtime of Ice ------------------------------------------------------------------------------ */

byte gil = NOBODY;            /* who has it */
bool main_wants_gil = false;  /* the main thread waits for it */
bool finalizing = false;      /* Py_Finalize has begun, or is over; set with the GIL held */
#ifdef LOCKS
byte ice_lock = NOBODY;       /* a mutex of the Ice runtime */
#endif

/* --- What is only observed --------------------------------------------------------------------------------------- */

bool counted[THREADS];        /* the word counts this thread */
bool is_parked[THREADS];
bool gave_up = false;         /* the deadline passed, or Ctrl-C: the finalizer went on although someone was inside */
bool is_over = false;         /* the finalizer did all that it had to do */
bool is_undone = false;       /* a thread was refused after it had been counted */
bool is_nested_parked = false; /* a thread was parked that had been inside */
#ifdef FORK
bool in_child = false;
byte survivor;                /* the process that forked */
bool child_is_over = false;
#define LIVES provided (!in_child || survivor == _pid) /* of the parent's threads only one exists in the child */
#else
#define LIVES
#endif

/* Every process has these. */
#define LOCALS byte before = OPEN; bool admitted = false; byte others = 0; bool timed_out = false

#define is_refused(some_state, me) (some_state != OPEN && finalizer != me)

/* --- Gate: entering and leaving ---------------------------------------------------------------------------------- */

inline lock(me) { atomic { mutex == NOBODY -> mutex = me } }

inline unlock(me) { atomic { assert(mutex == me); mutex = NOBODY } }

/* std::condition_variable::notify_all: wakes who sleeps now, and nobody who is about to. */
inline notify_all() { asleep = false }

/* Gate::leave_word */
inline leave_word(me) {
#ifdef BROKEN_CHECK_WITHOUT_COUNT
    skip
#else
#ifdef BROKEN_WAKE_BEFORE_DECREMENT
    before = state;
#else
    d_step { before = state; assert(inside > 0); inside--; counted[me] = false }; /* fetch_sub */
#endif
    if
    :: before != OPEN ->
#ifndef BROKEN_NOTIFY_WITHOUT_MUTEX
        lock(me);
        unlock(me);
#endif
        notify_all()
    :: else
    fi;
#ifdef BROKEN_WAKE_BEFORE_DECREMENT
    d_step { inside--; counted[me] = false };
#endif
    before = OPEN
#endif
}

/* Gate::try_enter; the answer is `admitted`. */
inline try_enter(me) {
    if
    :: depth[me] != 0 -> /* Gate::enter_again */
        d_step { admitted = !(state == SEALED && finalizer != me); depth[me] = depth[me] + admitted }
    :: else ->
        if
        :: is_refused(state, me) -> admitted = false
#ifdef BROKEN_CHECK_WITHOUT_COUNT
        :: !is_refused(state, me) -> admitted = true
#else
        :: true -> /* the first look may be an old one: nothing rests on it */
            d_step { before = state; inside++; counted[me] = true }; /* fetch_add */
            if
#ifndef BROKEN_COUNT_WITHOUT_LOOK
            :: is_refused(before, me) ->
                before = OPEN;
#ifndef BROKEN_REFUSE_WITHOUT_UNDO
                leave_word(me);
#endif
                is_undone = true;
                admitted = false
#endif
            :: else ->
                before = OPEN;
                if
                :: !listed[me] -> lock(me); listed[me] = true; unlock(me) /* Gate::list */
                :: else
                fi;
                admitted = true
            fi
#endif
        fi;
        if
        :: admitted -> depth[me] = 1
        :: else
        fi
    fi
}

/* Gate::leave */
inline leave(me) {
    depth[me] = depth[me] - 1;
    if
    :: depth[me] == 0 -> leave_word(me)
    :: else
    fi
}

/* Gate::park, with Gate::leave_for_good. Each process has it once, at its end. */
inline park(me) {
    assert(gil != me);
#ifndef BROKEN_PARK_INSIDE
    if
    :: depth[me] != 0 -> depth[me] = 0; is_nested_parked = true; leave_word(me)
    :: else
    fi;
#endif
    d_step { is_parked[me] = true; assert(!counted[me] && mutex != me) }
}

/* --- CPython ----------------------------------------------------------------------------------------------------- */

/* What a thread does with the GIL in hand. */
inline touch_python(me) { assert(gil == me && !finalizing) }

/* A thread that the gate let in uses the runtime without the GIL: to ask for it, or at the end of letting it go. After
 * finalization has begun that must not happen, unless the finalizer had to give up on the thread. */
inline touch_runtime(me) { assert(!finalizing || gave_up) }

/* PyEval_RestoreThread and PyGILState_Ensure themselves: ceval_gil.c, take_gil. Once finalization has begun nobody else
 * gets the GIL: CPython 3.14 hangs the thread; 3.13 calls pthread_exit, and bridge: exit_thread parks it. */
inline take_gil(me) {
    atomic {
        if
        :: finalizing -> goto too_late
        :: gil == NOBODY && !finalizing -> gil = me
        fi
    }
}

/* The same for whoever finalizes, which CPython lets through. */
inline take_gil_as_finalizer(me) {
    main_wants_gil = true;
    atomic { gil == NOBODY -> gil = me; main_wants_gil = false }
}

/* PyEval_SaveThread, PyGILState_Release: drop_gil uses the runtime's memory after the GIL is free. */
inline let_gil_go(me) { d_step { assert(gil == me); gil = NOBODY } }

/* --- The users of the gate --------------------------------------------------------------------------------------- */

/* bridge: ensure; errand_thread. A refused thread of Ice parks; an errand does nothing, and ends. */
inline ensure(me) {
    assert(gil != me);
    try_enter(me);
    if
    :: !admitted -> goto refused
    :: else -> admitted = false
    fi;
    touch_runtime(me);
    take_gil(me);
    touch_python(me)
}

/* bridge: ensure by a thread that holds the GIL: the plain call; release finds the plain state. */
inline ensure_with_gil(me) {
#ifdef BROKEN_PARK_WITH_GIL
    try_enter(me);
    if
    :: !admitted -> goto parking
    :: else -> admitted = false
    fi;
    touch_python(me);
    leave(me)
#else
    touch_python(me)
#endif
}

/* bridge: release */
inline release(me) {
    touch_python(me);
#ifdef BROKEN_LEAVE_BEFORE_GIL
    leave(me);
    let_gil_go(me);
    touch_runtime(me)
#else
    let_gil_go(me);
    touch_runtime(me);
    leave(me)
#endif
}

/* bridge: restore_thread; take_gil_back by a thread that has locked nothing */
inline restore_thread(me) {
    try_enter(me);
    if
    :: !admitted -> goto parking
    :: else -> admitted = false
    fi;
    touch_runtime(me);
    take_gil(me);
    leave(me);
    touch_python(me)
}

#ifdef LOCKS
/* bridge: mutex_lock by a thread that holds the GIL, with take_gil_back */
inline mutex_lock(me) {
    if
    :: atomic { ice_lock == NOBODY -> ice_lock = me } /* an attempt succeeded */
#ifndef BROKEN_LOCK_WITH_GIL
    :: ice_lock != NOBODY ->
        let_gil_go(me);
        /* The owner may be parked: then this thread waits for ever, uncounted and without the GIL. */
end_behind_a_parked_one:
        atomic { ice_lock == NOBODY -> ice_lock = me };
        try_enter(me);
        if
        :: !admitted ->
#ifndef BROKEN_PARK_WITH_LOCK
            ice_lock = NOBODY;
#endif
            goto parking
        :: else -> admitted = false
        fi;
        touch_runtime(me);
        take_gil(me);
        leave(me)
#endif
    fi
}
#endif

/* Gate::others_inside */
#ifdef BROKEN_WAIT_FOR_ITSELF
#define others_inside(me) (inside)
#else
#define others_inside(me) (inside - (depth[me] != 0 -> 1 : 0))
#endif

/* Gate::drain; the answer is `others`. The GIL is not held. `may_time_out`: there is a deadline; whether it passes is
 * open each time. A wake-up without a cause is a deadline that passes in a round that is not the last. */
inline drain(me, may_time_out) {
    if
    :: !listed[me] -> lock(me); listed[me] = true; unlock(me)
    :: else
    fi;
    lock(me);
#ifndef BROKEN_REFUSE_FINALIZER
    finalizer = me;
#endif
#ifdef BROKEN_CLOSE_WITHOUT_EXCHANGE
    others = inside; /* read, and later written: whoever enters in between is lost */
    d_step { state = (state < DRAINING -> DRAINING : state); inside = others };
#else
    d_step { state = (state < DRAINING -> DRAINING : state) }; /* Gate::advance: compare_exchange on the word */
#endif
    timed_out = false;
#ifdef BROKEN_COUNT_WITHOUT_WAIT
    others = 0;
#else
    do /* condition_variable::wait_until with a predicate */
    :: others = others_inside(me);
        if
        :: others == 0 || timed_out -> break
        :: else
        fi;
        atomic { asleep = true; unlock(me) }; /* the one thing that a condition variable does in one step */
        atomic {
            if
            :: !asleep
            :: may_time_out && asleep -> asleep = false; timed_out = true
            fi
        };
        lock(me)
    od;
#endif
    unlock(me)
}

/* --- Fork -------------------------------------------------------------------------------------------------------- */

#ifdef FORK
/* fork() with the GIL held, on the thread `me`, and what becomes of the child, up to its finalization. CPython makes
 * the GIL new, held by this thread. */
inline live_as_child(me) {
    atomic {
        survivor = _pid; /* from here on nobody else moves, wherever they were: with the mutex, counted, asleep */
        in_child = true;
        main_wants_gil = false
    };
#ifndef BROKEN_FORK_KEEPS_GATE
    atomic { /* Gate::renew_in_child, in pthread_atfork's handler: nobody else could see it half done */
        mutex = NOBODY;
        asleep = false;
        finalizer = NOBODY;
        listed[me] = false;
        inside = (depth[me] != 0 -> 1 : 0);
        state = OPEN
    };
    assert(counted[me] == inside);
    if
    :: inside != 0 -> lock(me); listed[me] = true; unlock(me)
    :: else
    fi;
#endif
    if
    :: depth[me] != 0 -> release(me) /* the callback that forked ends */
    :: else -> let_gil_go(me)
    fi;
    assert(depth[me] == 0);
    try_enter(me); /* the child's own callbacks are admitted */
    assert(admitted);
    take_gil(me);
    release(me);
    drain(me, false);
    assert(others == 0 && inside == 0);
    state = SEALED;
    try_enter(me);
    assert(admitted && inside == 1); /* the child's finalizer is never refused */
    leave(me);
    child_is_over = true
}
#endif

/* --- Processes --------------------------------------------------------------------------------------------------- */

/* A thread of Ice that calls into Python: a servant, a completion, a log line. */
proctype callback(byte me) LIVES {
    LOCALS;
    byte entries = 0;
#ifdef LOCKS
    atomic { ice_lock == NOBODY -> ice_lock = me }; /* the runtime calls a Python logger with this lock held */
#endif
    do
    :: entries < ENTRIES ->
        entries++;
        ensure(me);
        if
        :: true /* nothing lets the GIL go */
        :: ensure_with_gil(me)
        :: true -> /* it sleeps, prints, waits: CPython lets the GIL go and takes it, icegil is not asked */
            let_gil_go(me);
            touch_runtime(me);
            take_gil(me)
        :: true -> /* a blocking call of Ice, with or without a callback on the same thread meanwhile */
            let_gil_go(me);
            touch_runtime(me);
            if
            :: true -> ensure(me); release(me)
            :: true
            fi;
            restore_thread(me)
#ifdef DEADLINE
        :: true -> /* stuck for ever, without the GIL */
            let_gil_go(me);
end_stuck:
            false
        :: me == 1 -> /* runs for ever; CPython takes the GIL away from it for whoever waits (FORCE_SWITCHING) */
            do
            :: let_gil_go(me);
                !main_wants_gil || finalizing;
                take_gil(me);
                touch_python(me)
            od
#endif
#ifdef FORK
        :: true -> live_as_child(me); goto ending
#endif
        fi;
        release(me)
    :: else -> break
    od;
    goto ending;
refused:
    if
    :: goto parking
#ifndef LOCKS
    :: depth[me] == 0 -> goto ending /* an errand, or a thread that ends: dropped */
#endif
    fi;
too_late: /* CPython has begun to finalize */
    if
    :: true /* up to 3.13 it calls pthread_exit, and exit_thread parks */
    :: true -> goto hung /* 3.14 hangs the thread where it is; nobody waits for the count any more */
    fi;
parking:
    park(me);
end_parked:
    false;
hung:
    assert(finalizing && gave_up && gil != me);
end_hung:
    false;
ending:
#ifdef LOCKS
    ice_lock = NOBODY;
#endif
    skip
}

/* A daemon thread of Python: comes back from blocking calls of Ice; calls Ice with the GIL in hand. */
proctype python_thread(byte me) LIVES {
    LOCALS;
    take_gil(me); /* here and below without the gate: CPython's own */
    touch_python(me);
#ifdef LOCKS
    mutex_lock(me);
    touch_python(me);
    ice_lock = NOBODY;
#endif
    ensure_with_gil(me);
    let_gil_go(me);
    restore_thread(me);
#ifdef FORK
    if
    :: true -> live_as_child(me); goto ending
    :: true
    fi;
#endif
    let_gil_go(me);
    goto ending;
too_late:
    if
    :: true
    :: true -> goto hung
    fi;
parking:
#ifdef LOCKS
    assert(ice_lock != me); /* what it had just locked */
#endif
    park(me);
end_parked:
    false;
hung:
    assert(finalizing && gil != me && (!counted[me] || gave_up));
end_hung:
    false;
ending:
    skip
}

/* The main thread: runs Python, then finalizes. icegil/shutdown.py, teardown, steps 2 and 3; bridge: drain, seal. */
proctype main_thread(byte me) LIVES {
    LOCALS;
    byte rounds = 0;
    byte other;
#ifdef FINALIZER_INSIDE
    ensure(me); /* a callback that calls sys.exit(); it never leaves */
#else
    take_gil_as_finalizer(me);
#endif
#ifdef FORK
    if
    :: true -> live_as_child(me); goto ending
    :: true
    fi;
#endif
    do /* bridge: drain. Each round ends with a look at the signals, which needs the GIL */
    ::
#ifndef BROKEN_DRAIN_WITH_GIL
        let_gil_go(me);
#endif
#ifdef DEADLINE
        drain(me, true);
#else
        drain(me, false);
#endif
#ifndef BROKEN_DRAIN_WITH_GIL
        take_gil_as_finalizer(me);
#endif
        rounds++;
        if
        :: others == 0 -> break
        :: others != 0 && rounds == 2 -> gave_up = true; break
        :: others != 0 && rounds < 2
        fi
    od;
    state = SEALED; /* bridge: seal; Gate::advance */
    let_gil_go(me); /* Python runs on for a while: the log, the clean-up of IcePy */
    take_gil_as_finalizer(me);
    finalizing = true;
    d_step {
        other = 0;
        do
        :: other < THREADS ->
            assert(gave_up || other == me || depth[other] == 0);
            other++
        :: else -> break
        od;
        other = 0
    };
    let_gil_go(me); /* and while it finalizes: a __del__ calls a proxy, bridge: restore_thread */
    try_enter(me);
    assert(admitted);
    take_gil_as_finalizer(me);
    leave(me);
    is_over = true;
    goto ending;
refused:
too_late:
    assert(false); /* the finalizer, or the callback that is to be it: in these configurations never */
#ifdef BROKEN_PARK_WITH_GIL
parking:
#endif
ending:
    skip
}

init {
    atomic {
        run main_thread(MAIN);
        byte i = 1;
        do
        :: i <= CALLBACKS -> run callback(i); i++
        :: else -> break
        od;
#ifdef PYTHON
        run python_thread(PYTHON_THREAD)
#endif
    }
}

/* --- Properties, beside the assertions above and the absence of deadlocks ----------------------------------------- */

/* The finalizer always gets on. */
#ifdef FORK
ltl gets_on { <> (is_over || in_child) }
ltl child_gets_on { [] (in_child -> <> child_is_over) }
#else
ltl gets_on { <> is_over }
#endif

/* No wake-up is lost: who sleeps although nobody else is inside is woken. */
ltl is_woken { [] ((asleep && inside == (depth[MAIN] != 0)) -> <> !asleep) }

/* To be violated, or the model does not get to where the gate matters. */
ltl never_sleeps { [] !asleep }
ltl never_undoes { [] !is_undone }
ltl never_parks { [] !is_parked[1] }
ltl never_parks_nested { [] !is_nested_parked }
ltl never_gives_up { [] !gave_up }
#ifdef PYTHON
ltl never_parks_python { [] !is_parked[PYTHON_THREAD] }
#endif
#ifdef FORK
ltl never_ends_as_child { [] !child_is_over }
#endif
