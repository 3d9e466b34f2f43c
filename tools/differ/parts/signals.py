"""Signal handlers, and what sends signals all the time."""

from __future__ import annotations

from tools.differ.part import Part

PARTS = [
    Part(
        "an interval timer's signals",
        """
        ticks = []
        signal.signal(signal.SIGALRM, lambda number, frame: ticks.append(number))
        signal.setitimer(signal.ITIMER_REAL, {{0.001|0.01}}, {{0.001|0.01}})
        atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)  # Python lets go of its handlers, and then it kills
        """,
        group="SIGALRM",
    ),
    Part(
        "a signal handler calls",
        """
        def on_signal(number, frame):
            try:
                call_async("echo")
            except Exception:
                pass


        signal.signal(signal.SIGALRM, on_signal)
        signal.setitimer(signal.ITIMER_REAL, 0.02, {{0|0.02}})
        atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)
        """,
        group="SIGALRM",
    ),
    Part("a signal handler that is not used", "signal.signal(signal.SIGUSR1, lambda *_: print('signal'))", weight=0.5),
    Part(
        "a wake-up file descriptor",
        """
        woken, waking = socket.socketpair()
        waking.setblocking(False)
        signal.set_wakeup_fd(waking.fileno())
        """,
        stderr=(".*ResourceWarning: unclosed <socket.*", "  .*"),
        weight=0.4,
    ),
    Part(
        "a thread sends a signal to itself",
        """
        signal.signal(signal.SIGUSR1, lambda *_: None)
        threading.Timer(0.01, signal.raise_signal, (signal.SIGUSR1,)).start()
        """,
        weight=0.4,
    ),
]
