"""The ways in which programs end, each with the exit status that it asks for."""

from __future__ import annotations

import signal

from tools.differ.part import Ending

NOT_ENDED = 99
"""The exit status of a program that waited for its end in vain: a signal was lost, say."""

WAIT = """
for _ in range(300):
    time.sleep(0.01)
sys.exit(99)
"""
CALL = """
limit = time.monotonic() + 3
while time.monotonic() < limit:
    call("echo")
sys.exit(99)
"""
CALL_COLLOCATED = CALL.replace('call("echo")', 'call("echo", adapter.createProxy(Ice.stringToIdentity("servant")))')
CALL_ASYNC = """
limit = time.monotonic() + 3
while time.monotonic() < limit:
    for future in [call_async("echo") for _ in range(10)]:
        future.result()
sys.exit(99)
"""
SEND_LATER = "threading.Timer({{0.01|0.03|0.1}}, os.kill, (os.getpid(), signal.SIGNAL)).start()"
TRACEBACK = (r"Traceback \(most recent call last\):", r'  File ".*", line \d+, in .*', r"    .*")
ON_SIGTERM = """
def on_sigterm(number, frame):
    sys.exit({status})


signal.signal(signal.SIGTERM, on_sigterm)
"""


def _on_signal(name: str, sent: str, wait: str, status: int, *, before: str = "", weight: float = 1.0) -> Ending:
    body = before + SEND_LATER.replace("SIGNAL", sent) + wait
    stderr = (*TRACEBACK, "KeyboardInterrupt") if sent == "SIGINT" else ()
    return Ending(name, body, status, stderr, weight=weight, uses_ice=wait != WAIT)


ENDINGS = [
    Ending("falls off the end", "", 0, weight=6),
    Ending("sys.exit(3)", "sys.exit(3)", 3, weight=4),
    Ending("sys.exit() with a text", "sys.exit('goodbye')", 1, ("goodbye",)),
    Ending("sys.exit(True)", "sys.exit(True)", 1, weight=0.3),
    Ending("sys.exit() in a with block", "with contextlib.suppress(Exception):\n    sys.exit(8)", 8, weight=0.5),
    Ending("unhandled exception", "1 / 0", 1, (*TRACEBACK, "ZeroDivisionError: .*"), weight=2),
    Ending(
        "unhandled exception of Ice",
        "client.stringToProxy('nobody:tcp -h 127.0.0.1 -p 1').ice_ping()",
        1,
        (
            *TRACEBACK,
            r"Ice\..*ConnectionRefusedException.*",
            r"::Ice.*",
            r"error = .*",
            r"\{",
            r"\}",
            "Connection refused",
            r"connection.*",
        ),
        uses_ice=True,
    ),
    Ending("KeyboardInterrupt", "raise KeyboardInterrupt", -signal.SIGINT, (*TRACEBACK, "KeyboardInterrupt")),
    _on_signal("SIGINT while it sleeps", "SIGINT", WAIT, -signal.SIGINT),
    _on_signal("SIGINT while it calls", "SIGINT", CALL, -signal.SIGINT),
    _on_signal("SIGINT while it waits for futures", "SIGINT", CALL_ASYNC, -signal.SIGINT, weight=0.5),
    _on_signal("SIGTERM that nobody handles", "SIGTERM", WAIT, -signal.SIGTERM, weight=0.5),
    _on_signal(
        "SIGTERM whose handler leaves, while it sleeps",
        "SIGTERM",
        WAIT,
        5,
        before=ON_SIGTERM.format(status=5),
        weight=2,
    ),
    _on_signal("SIGTERM whose handler leaves, while it calls", "SIGTERM", CALL, 6, before=ON_SIGTERM.format(status=6)),
    _on_signal(
        "SIGTERM whose handler leaves, while it calls a servant of its own",
        "SIGTERM",
        CALL_COLLOCATED,
        6,
        before=ON_SIGTERM.format(status=6),
    ),
    _on_signal(
        "SIGTERM whose handler leaves, while it waits for futures",
        "SIGTERM",
        CALL_ASYNC,
        6,
        before=ON_SIGTERM.format(status=6),
        weight=0.5,
    ),
    Ending(
        "SIGTERM whose handler shuts down",
        """
        signal.signal(signal.SIGTERM, lambda *_: ice.shutdown())
        threading.Timer({{0.01|0.05}}, os.kill, (os.getpid(), signal.SIGTERM)).start()
        waiting = threading.Thread(target=ice.waitForShutdown)
        waiting.start()
        waiting.join()
        sys.exit(12)
        """,
        12,
        uses_ice=True,
    ),
    Ending("os._exit(9)", "sys.stdout and not sys.stdout.closed and sys.stdout.flush()\nos._exit(9)", 9, weight=0.5),
    Ending(
        "becomes another program",
        """
        signal.setitimer(signal.ITIMER_REAL, 0)  # a timer goes on in the other program, which has no handler for it
        os.execv('/bin/sh', ['sh', '-c', 'exit 4'])
        """,
        4,
        weight=0.3,
    ),
    Ending("kills itself", "os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, weight=0.2),
    Ending(
        "sys.exit(7) in a servant",
        'operations["exit"] = lambda: sys.exit(7)\ncall_async("exit")' + WAIT,
        7,
        uses_ice=True,
        weight=0.7,
    ),
    Ending(
        "sys.exit(2) in asyncio",
        """
        async def main():
            await asyncio.wrap_future(asyncio.get_running_loop().run_in_executor(None, call, "echo"))
            sys.exit(2)


        asyncio.run(main())
        """,
        2,
        uses_ice=True,
    ),
    Ending(
        "SIGINT in asyncio",
        """
        async def main():
            while True:
                await asyncio.gather(*[Ice.wrap_future(call_async("echo")) for _ in range(5)])


        threading.Timer({{0.01|0.05}}, os.kill, (os.getpid(), signal.SIGINT)).start()
        asyncio.run(main())
        """,
        -signal.SIGINT,
        (
            *TRACEBACK,
            "KeyboardInterrupt",
            "asyncio.exceptions.CancelledError",
            "",
            "During handling of.*",
            "The above.*",
        ),
        uses_ice=True,
        weight=0.5,
    ),
]
