/* The finalization gate and its users as a model that can be searched through completely.
 *
 * What stands for what: each inline and each process names the function in include/icegil/gate.hpp ("Gate::...") or in
 * icegil/bridge/ ("bridge: ...") that it is. docs/assurance.md says what is left out and what is assumed.
 *
 * Configurations, chosen with -D:
 *   CALLBACKS=n       threads of Ice (2)
 *   ENTRIES=n         outer entries of each of them (1)
 *   PYTHON            a thread of Python that comes back from blocking calls; Ice calls it back meanwhile
 *   DEADLINE          the finalizer may give up; a callback may be stuck for ever, or run for ever
 *   FINALIZER_INSIDE  the finalizer is itself inside the gate: sys.exit() in a callback
 *   FORK              each thread may fork once, with the GIL held; what is searched then is the child
 *   HANDLERS          a lock of Python's: a callback or the thread of Python may hold it through a blocking call of Ice;
 *                     the main thread takes it in handlers at exit and, once the gate is sealed, in destructors
 *   LOCKS             a lock of Ice, taken with the GIL in hand by whoever calls Ice, the finalizer included, and for a
 *                     while without it, by threads in Ice
 *   LOCKED_CALLBACKS  with LOCKS: callbacks come with that lock in hand; only the thread of Python wants it
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
#ifdef HANDLERS
byte python_lock = NOBODY;    /* of a logging handler, say */
#endif
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
bool is_nested_late = false;  /* a thread that was inside came in again once the gate was sealed */
#ifdef HANDLERS
bool waits_for_python = false; /* the gate is sealed, and the main thread waits for the lock of Python's */
#endif
#ifdef LOCKS
bool waits_for_ice = false;   /* Python finalizes, and the main thread waits for the lock of Ice */
bool is_unlocked = false;     /* a thread let go of the lock of Ice, since the gate was closed */
#endif
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

/* bridge: is_too_late */
#define is_too_late(me) (state != OPEN && finalizing && finalizer != me)

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
    :: depth[me] != 0 -> /* whatever the state */
#ifdef BROKEN_REFUSE_NESTED
        d_step { admitted = !(state == SEALED && finalizer != me); depth[me] = depth[me] + admitted }
#else
        d_step { admitted = true; depth[me]++; is_nested_late = is_nested_late || (state == SEALED && me != MAIN) }
#endif
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

/* Gate::park, with Gate::leave_for_good. Each process has it once, at its end. Before Python finalizes it is for native
 * threads that come from outside alone: they can hold no lock of Python's. */
inline park(me) {
    assert(gil != me);
    assert(finalizing || (me != PYTHON_THREAD && depth[me] == 0));
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
 * gets the GIL: CPython 3.14 hangs the thread; 3.13 calls pthread_exit, and bridge: on_pthread_exit parks it. */
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

/* bridge: on_PyGILState_Ensure, ensure_unkept and enter_or_park, by a native thread; run_inside. A refused thread of Ice
 * parks; an errand does nothing, and ends. */
inline ensure(me) {
    assert(gil != me);
    try_enter(me);
    if
    :: !admitted -> goto refused
    :: admitted && depth[me] != 1 && is_too_late(me) -> goto parking
    :: else -> admitted = false
    fi;
    touch_runtime(me);
    take_gil(me);
    touch_python(me)
}

/* bridge: on_PyGILState_Ensure by a thread that holds the GIL: the plain call; its release finds the plain state. */
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

/* bridge: on_PyGILState_Release */
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

/* bridge: on_PyEval_RestoreThread. Nobody is counted for it, and nobody parked before Python
 * finalizes. */
inline restore_thread(me) {
    if
#ifdef BROKEN_PARK_PYTHON
    :: state != OPEN && finalizer != me -> goto parking
#else
    :: is_too_late(me) -> goto parking
#endif
    :: else
    fi;
    take_gil(me);
    touch_python(me)
}

/* bridge: ensure_on_python_thread. Counted while it waits for the GIL, if the gate is open; let through if it is not. */
inline ensure_on_python_thread(me) {
    if
    :: state == OPEN -> try_enter(me); admitted = false
    :: else
    fi;
    if
#ifdef BROKEN_PARK_PYTHON
    :: state != OPEN && finalizer != me -> goto parking
#else
    :: is_too_late(me) -> goto parking
#endif
    :: else
    fi;
    take_gil(me);
    if
    :: depth[me] != 0 -> leave(me)
    :: else
    fi;
    touch_python(me)
}

#ifdef HANDLERS
/* threading.Lock: CPython's own. Whoever waits behind one that CPython has stopped waits for ever, like that one. */
inline take_python_lock(me) {
    if
    :: atomic { python_lock == NOBODY -> python_lock = me }
    :: python_lock != NOBODY ->
        let_gil_go(me);
end_behind_a_stopped_one:
        atomic { python_lock == NOBODY -> python_lock = me };
        take_gil(me)
    fi
}

/* The same by the main thread, before Python finalizes: nobody may have been stopped who has it. */
inline take_python_lock_as_main(me) {
    if
    :: atomic { python_lock == NOBODY -> python_lock = me }
    :: python_lock != NOBODY ->
        waits_for_python = (state == SEALED);
        let_gil_go(me);
        atomic { python_lock == NOBODY -> python_lock = me };
        waits_for_python = false;
        take_gil_as_finalizer(me)
    fi
}
#endif

#ifdef LOCKS
/* The runtime of Ice by itself. */
inline use_ice(me) {
    atomic { ice_lock == NOBODY -> ice_lock = me };
    ice_lock = NOBODY
}

/* bridge: lock_without_gil with take_gil_back: on_pthread_mutex_lock by a thread that holds the GIL */
inline lock_without_gil(me) {
    do
    :: atomic { ice_lock == NOBODY -> ice_lock = me }; break /* an attempt succeeded */
#ifndef BROKEN_LOCK_WITH_GIL
    :: ice_lock != NOBODY ->
        let_gil_go(me);
#if defined(LOCKED_CALLBACKS) || defined(DEADLINE)
        /* The owner may be parked: then this thread waits for ever, uncounted and without the GIL. */
end_behind_a_parked_one:
#endif
        atomic { ice_lock == NOBODY -> ice_lock = me };
        if
        :: state == SEALED && finalizer != me -> admitted = false
        :: else -> try_enter(me)
        fi;
        if
        :: admitted ->
            admitted = false;
            touch_runtime(me);
            take_gil(me);
            leave(me);
            break
        :: else ->
#ifndef BROKEN_WAIT_WITH_LOCK
            d_step { ice_lock = NOBODY; is_unlocked = true };
            restore_thread(me)
#else
            restore_thread(me);
            break
#endif
        fi
#endif
    od;
    touch_python(me)
}

/* The same by the finalizer, which is always admitted. */
inline lock_without_gil_as_finalizer(me) {
    if
    :: atomic { ice_lock == NOBODY -> ice_lock = me }
    :: ice_lock != NOBODY ->
        waits_for_ice = finalizing;
        let_gil_go(me);
        atomic { ice_lock == NOBODY -> ice_lock = me };
        waits_for_ice = false;
        try_enter(me);
        assert(admitted);
        take_gil_as_finalizer(me);
        leave(me)
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
#ifdef LOCKED_CALLBACKS
    atomic { ice_lock == NOBODY -> ice_lock = me }; /* the runtime calls a Python logger with this lock held */
#elif defined(LOCKS)
#ifdef DEADLINE
end_in_ice: /* behind one that was given up, and stopped */
#endif
    use_ice(me);
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
#ifdef HANDLERS
            if
            :: take_python_lock(me)
            :: true
            fi;
#endif
            let_gil_go(me);
            touch_runtime(me);
            if
            :: true -> ensure(me); release(me)
            :: true
            fi;
            restore_thread(me)
#ifdef HANDLERS
            ;
            if
            :: python_lock == me -> python_lock = NOBODY
            :: else
            fi
#endif
#if defined(LOCKS) && !defined(LOCKED_CALLBACKS)
        :: true -> lock_without_gil(me); ice_lock = NOBODY
#endif
#ifdef DEADLINE
        :: true -> /* stuck for ever, without the GIL */
            let_gil_go(me);
end_stuck:
            false
#if !defined(HANDLERS) && !defined(LOCKS)
        :: me == 1 -> /* runs for ever; CPython takes the GIL away from it for whoever waits (FORCE_SWITCHING) */
            do
            :: let_gil_go(me);
                !main_wants_gil || finalizing;
                take_gil(me);
                touch_python(me)
            od
#endif
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
#ifndef LOCKED_CALLBACKS
    :: depth[me] == 0 -> goto ending /* an errand, or a thread that ends: dropped */
#endif
    fi;
too_late: /* CPython has begun to finalize */
    if
    :: true /* up to 3.13 it calls pthread_exit, and on_pthread_exit parks */
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
#ifdef LOCKED_CALLBACKS
    ice_lock = NOBODY;
#endif
    skip
}

/* A daemon thread of Python: comes back from blocking calls of Ice, also to be called back by Ice; calls Ice with the GIL
 * in hand. The gate counts it while it waits for the GIL with a lock of Ice in hand, or may do so, and nowhere else. */
proctype python_thread(byte me) LIVES {
    LOCALS;
    take_gil(me); /* here and below without the gate: CPython's own */
    touch_python(me);
#ifdef LOCKS
    lock_without_gil(me);
    ice_lock = NOBODY;
#endif
    ensure_with_gil(me);
#ifdef HANDLERS
    take_python_lock(me);
#endif
    let_gil_go(me);
    ensure_on_python_thread(me); /* a callback on this thread */
    let_gil_go(me);
#if defined(LOCKS) && !defined(LOCKED_CALLBACKS)
#ifdef DEADLINE
end_in_ice:
#endif
    use_ice(me);
#endif
    restore_thread(me);
#ifdef HANDLERS
    python_lock = NOBODY;
#endif
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

/* The main thread: runs Python, then finalizes. icegil/shutdown.py, steps 2 and 3; bridge: drain, seal. */
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
#ifdef HANDLERS
    take_python_lock_as_main(me); /* logging.shutdown, say: the gate is open until all handlers have run */
    python_lock = NOBODY;
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
    /* Python runs on for a while: the log, the clean-up of IcePy, destructors. */
#ifdef HANDLERS
    take_python_lock_as_main(me);
#endif
    let_gil_go(me);
    take_gil_as_finalizer(me);
#ifdef HANDLERS
    python_lock = NOBODY;
#endif
#if defined(LOCKS) && !defined(LOCKED_CALLBACKS)
    if
    :: lock_without_gil_as_finalizer(me); ice_lock = NOBODY /* a destructor calls Ice */
    :: true
    fi;
#endif
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
    /* And while it finalizes: a __del__ calls a proxy; bridge: on_PyEval_RestoreThread. Who was given up may have been
     * stopped with the lock of Ice: that one must not be wanted then. */
#if defined(LOCKS) && !defined(LOCKED_CALLBACKS)
    if
    :: gave_up
    :: else -> lock_without_gil_as_finalizer(me); ice_lock = NOBODY
    fi;
#endif
    let_gil_go(me);
    assert(!is_too_late(me));
    take_gil_as_finalizer(me);
    try_enter(me); /* a callback on this thread, where the proxy's object is in this process */
    assert(admitted);
    leave(me);
    is_over = true;
    goto ending;
refused:
too_late:
parking:
    assert(false); /* the finalizer, or the callback that is to be it: in these configurations never */
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
ltl never_nests_when_sealed { [] !is_nested_late }
ltl never_gives_up { [] !gave_up }
#ifdef PYTHON
ltl never_parks_python { [] !is_parked[PYTHON_THREAD] }
#endif
#ifdef HANDLERS
ltl never_waits_for_python { [] !waits_for_python }
#endif
#ifdef LOCKS
ltl never_waits_for_ice { [] !waits_for_ice }
ltl never_unlocks { [] !is_unlocked }
#endif
#ifdef FORK
ltl never_ends_as_child { [] !child_is_over }
#endif
