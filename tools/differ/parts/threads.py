"""Threads of every kind, locks, pools and what is local to a thread."""

from __future__ import annotations

from tools.differ.part import Part

PARTS = [
    Part(
        "a daemon thread calls in a loop",
        """
        def call_on():
            while True:
                try:
                    call("echo")
                except Exception:
                    return
                time.sleep({{0|0|0.001}})


        for _ in range({{1|3}}):
            threading.Thread(target=call_on, daemon=True).start()
        """,
        weight=2,
    ),
    Part(
        "a daemon thread waits for futures in a loop",
        """
        def call_async_on():
            while True:
                try:
                    for future in [call_async("echo") for _ in range({{1|10}})]:
                        future.result()
                except Exception:
                    return


        threading.Thread(target=call_async_on, daemon=True).start()
        """,
    ),
    Part(
        "a thread calls after the main one",
        """
        def call_after_main():
            threading.main_thread().join()
            try:
                call("echo")
                print("called after the main thread")
            except Ice.Exception as error:
                print("failed: no call after the main thread,", type(error).__name__)


        threading.Thread(target=call_after_main).start()
        """,
        weight=1.5,
    ),
    Part(
        "a thread makes fifty calls more",
        """
        def call_fifty_times():
            try:
                for _ in range(50):
                    call("echo")
                print("fifty calls")
            except Ice.Exception:
                pass


        threading.Thread(target=call_fifty_times).start()
        """,
    ),
    Part(
        "a timer calls",
        """
        def on_timer():
            try:
                call("echo")
            except Ice.Exception:
                pass
            print("the timer came")


        threading.Timer({{0.01|0.05}}, on_timer).start()
        """,
    ),
    Part(
        "a timer of a daemon that never comes",
        """
        never = threading.Timer(60, print)
        never.daemon = True
        never.start()
        """,
        weight=0.5,
    ),
    Part(
        "a daemon thread waits for the shutdown",
        "threading.Thread(target=ice.waitForShutdown, daemon=True).start()",
    ),
    Part(
        "a daemon thread calls with a lock that an atexit handler takes",
        """
        shared = threading.{{Lock|RLock|Condition}}()


        def call_locked():
            while True:
                try:
                    with shared:
                        call("echo")
                except Exception:
                    return
                time.sleep(0)


        def say_locked():
            with shared:
                print("the lock was taken at exit")


        threading.Thread(target=call_locked, daemon=True).start()
        atexit.register(say_locked)
        """,
        weight=1.5,
    ),
    Part(
        "a daemon thread calls with a lock that a handler from before Ice takes",
        """
        def call_guarded():
            while True:
                try:
                    with guarding:
                        call("echo")
                except Exception:
                    return
                time.sleep(0)


        threading.Thread(target=call_guarded, daemon=True).start()
        """,
        early="""
        guarding = threading.Lock()


        @atexit.register
        def say_guarded():
            with guarding:
                print("the lock was taken at last")
        """,
    ),
    Part(
        "a daemon thread works for a queue",
        """
        errands = queue.Queue()


        def work():
            while True:
                errands.get()
                try:
                    call("echo")
                except Exception:
                    pass
                errands.task_done()


        threading.Thread(target=work, daemon=True).start()
        for _ in range(20):
            errands.put(None)
        {{errands.join()|pass}}
        """,
    ),
    Part(
        "threads of _thread",
        """
        def call_bare():
            try:
                for _ in range(100):
                    call("echo")
            except Exception:
                pass


        for _ in range(3):
            _thread.start_new_thread(call_bare, ())
        """,
    ),
    Part(
        "a pool that is left as it is",
        """
        pool = concurrent.futures.ThreadPoolExecutor({{1|4}})
        called = [pool.submit(call, "echo") for _ in range(20)]
        """,
        early="import concurrent.futures",
    ),
    Part(
        "a pool that is shut down by a handler",
        """
        calling = concurrent.futures.ThreadPoolExecutor()
        for _ in range(20):
            calling.submit(call, "echo")
        atexit.register(calling.shutdown, cancel_futures={{True|False}})
        """,
        early="import concurrent.futures",
        weight=0.5,
    ),
    Part(
        "a value of a thread that calls in its __del__",
        """
        class Local:
            def __del__(self):
                try:
                    call("echo", self.proxy)
                except Exception:
                    pass


        local = threading.local()


        def keep_local():
            local.value = Local()
            local.value.proxy = proxy


        operations["keep"] = keep_local
        call("keep")
        threading.Thread(target=keep_local).start()
        {{keep_local()|pass}}
        """,
        weight=0.7,
    ),
    Part(
        "a watchdog raises in a thread of Ice, a moment too late",
        """
        class Late(Exception):
            pass


        watched = []
        operations["watched"] = lambda: watched.append(threading.get_ident())
        call("watched")
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(watched[0]), ctypes.py_object(Late))
        for _ in range(12):
            call("echo")
        """,
        weight=0.7,
    ),
    Part(
        "context variables set in servants",
        """
        variable = contextvars.ContextVar("variable")


        def set_variable():
            if variable.get(None) is not None:
                sys.stderr.write("a context has leaked\\n")
            variable.set(object())


        operations["set"] = set_variable
        for _ in range(10):
            call("set")
        """,
        weight=0.5,
    ),
    Part(
        "a daemon thread never ends",
        """
        held = threading.Lock()


        def hold_for_ever():
            with held:
                threading.Event().wait()


        threading.Thread(target=hold_for_ever, daemon=True).start()
        """,
    ),
    Part(
        "daemon threads compute",
        """
        def compute():
            while True:
                sum(range(1000))


        threading.Thread(target=compute, daemon=True).start()
        """,
        weight=0.7,
    ),
]
