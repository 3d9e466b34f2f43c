"""Settings of the interpreter: the collector, the switch interval, trace and profile functions, options, limits."""

from __future__ import annotations

from tools.differ.part import UNDESTROYED_WITHOUT_THREADS, Part

PARTS = [
    Part("no collector", "gc.disable()", group="gc", weight=0.7),
    Part("the collector runs all the time", "gc.set_threshold(1)", group="gc", weight=0.7),
    Part("what there is was frozen", "gc.freeze()", group="gc", weight=0.4),
    Part(
        "the collector calls back",
        "gc.callbacks.append(lambda phase, info: collections.append(phase))",
        early="collections = []",
        group="gc",
        weight=0.4,
    ),
    Part("short switch interval", "sys.setswitchinterval(1e-6)", group="switch"),
    Part("long switch interval", "sys.setswitchinterval(0.1)", group="switch", weight=0.5),
    Part(
        "a trace function",
        """
        def trace(frame, event, argument):
            return {{trace|None}}


        threading.settrace(trace)
        sys.settrace(trace)
        """,
        group="trace",
        weight=0.7,
    ),
    Part(
        "a profile function",
        """
        def profile(frame, event, argument):
            pass


        threading.setprofile(profile)
        {{sys|threading}}.setprofile(profile)
        """,
        group="trace",
        weight=0.7,
    ),
    Part(
        "a servant sets a profile function",
        """
        def count_calls(frame, event, argument):
            counted.append(event)


        counted = []
        operations["profile"] = lambda: sys.setprofile(count_calls)
        call("profile")
        """,
        group="trace",
        weight=0.4,
    ),
    Part("tracemalloc", "tracemalloc.start({{1|10}})", weight=0.4),
    Part("development mode", options=("-X", "dev"), group="options"),
    Part("warnings are errors", options=("-W", "error"), group="options"),
    Part("unbuffered streams", options=("-u",), group="unbuffered", weight=0.5),
    Part("optimized", options=("-OO",), weight=0.3),
    Part(
        "no threads are to be had any more",
        """
        def no_more_threads():
            size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (size + 3_000_000, resource.RLIM_INFINITY))


        atexit.register(no_more_threads)
        """,
        stderr=(
            ".*MemoryError.*",
            ".*can't start new thread.*",
            "Traceback.*",
            "  .*",
            ".*ThreadSyscall.*",
            *UNDESTROYED_WITHOUT_THREADS,
        ),
        weight=0.3,
    ),
    Part("no more than these files", "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))", weight=0.3),
    Part(
        "audited",
        "sys.addaudithook(lambda event, arguments: None)",
        weight=0.3,
    ),
    Part("a recursion limit", "sys.setrecursionlimit(200)", weight=0.3),
]
