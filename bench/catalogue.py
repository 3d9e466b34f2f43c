"""All rows of the bench, with the targets of the design."""

import sys
from typing import Any

from bench.children import (
    CPLUSPLUS,
    GRPC,
    GUARDED,
    NO_LINES,
    STOCK,
    TRACED,
    UNTRACED,
    VARIABLE,
    WITHOUT_LOCKS,
    Side,
)
from bench.rows import Figure, Row, Way
from bench.samples import Target

ASYNCHRONOUS = 2.0 if sys.version_info >= (3, 14) else 1.5
FLAT_MIB = 2.0  # what an allocator may add or give back without anything having been lost


def _traffic(
    name: str,
    program: str,
    *arguments: str,
    calls: int,
    faster: float | None = None,
    cheaper: float | None = None,
    sides: tuple[Side, ...] = (STOCK, GUARDED),
    on_one_processor: bool = False,
) -> Row:
    figures = (
        Figure("calls per second", "calls_per_second", "/s", faster and Target(faster, at_least=True)),
        Figure("processor time per call", "cpu_us_per_call", "µs", cheaper and Target(cheaper)),
    )
    ways = tuple(Way(side, arguments) for side in sides)
    return Row(
        name,
        program,
        figures,
        ways,
        calls=calls,
        quick_calls=calls // 10,
        counted_calls=1000,
        on_one_processor=on_one_processor,
    )


# A synchronous call is four threads that wake each other, on sleeping processors. In a virtual machine that takes most
# of its time, and differs by half from one hour to the next, whichever side is measured: so its target is for one
# processor, which never sleeps.
ON_ONE_PROCESSOR = (
    _traffic(
        "asynchronous-1-processor",
        "calls.py",
        "asynchronous",
        "{calls}",
        calls=20_000,
        faster=ASYNCHRONOUS,
        cheaper=0.6,
        on_one_processor=True,
    ),
    _traffic(
        "synchronous-1-processor",
        "calls.py",
        "synchronous",
        "{calls}",
        calls=10_000,
        faster=1.15,
        on_one_processor=True,
    ),
)


def _on_loop(
    name: str, at_once: int, *, size: int = 16, servant: str = "plain", calls: int = 20_000, **how: Any
) -> Row:
    """An event loop's client, the server in another process."""
    loop = name.partition("-")[0]
    return _traffic(name, "loop_calls.py", loop, str(at_once), str(size), servant, "{calls}", calls=calls, **how)


def _exit(count: int, how: str, target: float | None) -> Row:
    figures = (
        Figure("time to exit", "exit_ms", "ms", target and Target(target)),
        Figure("whole process", "process_ms", "ms"),
    )
    ways = (Way(STOCK, (str(count), "explicit")), Way(GUARDED, (str(count), how)))
    name = f"exit-{count}{'-explicit' if how == 'explicit' else ''}"
    return Row(name, "exit.py", figures, ways, counted_without="leave", turns=5 if count == 1 else 1)


def _gate(threads: int) -> Row:
    figure = Figure("one admission", "gate_ns", "ns", beside="mutex_ns", beside_name="a mutex")
    ways = (Way(STOCK, (str(threads), "{calls}")),)
    return Row(f"gate-{threads}", "gate.py", (figure,), ways, calls=10_000_000, quick_calls=1_000_000)


def _memory(kind: str, calls: int) -> Row:
    figure = Figure("growth of resident memory", "growth_mib", "MiB", Target(FLAT_MIB, of_ratio=False))
    ways = tuple(Way(side, (kind, "{calls}")) for side in (STOCK, GUARDED))
    return Row(f"memory-{kind}", "memory.py", (figure,), ways, calls=calls, quick_calls=calls // 20, most_runs=1)


CROSSING = Row(
    "crossing",
    "crossing.py",
    (
        Figure("one crossing / floor", "icegil_ns", "ns", Target(1.3), beside="floor_ns", beside_name="floor"),
        Figure("one crossing / stock", "icegil_ns", "ns", beside="stock_ns", beside_name="stock"),
        Figure("EnsureFromView / floor", "view_ns", "ns", beside="floor_ns", beside_name="floor"),
    ),
    (Way(STOCK, ("all", "{calls}")),),
    calls=2_000_000,
    quick_calls=200_000,
    counted_calls=20_000,
    counted_ways=(Way(STOCK, ("floor", "{calls}")), Way(STOCK, ("icegil", "{calls}"))),
)

IMPORT = Row(
    "import",
    "imports.py",
    (
        Figure(
            "import icegil",
            "import_icegil_ms",
            "ms",
            Target(15, of_ratio=False),
            beside="import_ice_ms",
            beside_name="import Ice",
        ),
        Figure("install()", "install_ms", "ms", beside="import_ice_ms", beside_name="import Ice"),
    ),
    (Way(STOCK, ()),),
)

STARTUP = Row(
    "startup",
    "startup.py",
    (
        Figure("ICEGIL not asked for", "not_asked_us", "µs", Target(200, of_ratio=False)),
        Figure("ICEGIL=1, no Ice", "asked_us", "µs"),
        Figure("ICEGIL=1, import Ice", "import_ms", "ms"),
    ),
    (Way(NO_LINES, ("without",)), Way(VARIABLE, ("with",))),
)

BESIDE_CPP = (CPLUSPLUS, GUARDED)

# What a user might take instead; its program is another one, and takes no servant and no loop.
ASYNCIO_GRPC = Row(
    "asyncio-100-grpc",
    "loop_calls.py",
    (
        Figure("calls per second", "calls_per_second", "/s"),
        Figure("processor time per call", "cpu_us_per_call", "µs"),
    ),
    (Way(GRPC, ("100", "16", "{calls}")), Way(GUARDED, ("asyncio", "100", "16", "plain", "{calls}"))),
    calls=20_000,
    quick_calls=2_000,
)

ROWS = (
    _traffic("asynchronous", "calls.py", "asynchronous", "{calls}", calls=20_000, faster=2.8, cheaper=0.6),
    _traffic("asynchronous-c++", "calls.py", "asynchronous", "{calls}", calls=20_000, cheaper=1.35, sides=BESIDE_CPP),
    _traffic("synchronous-c++", "calls.py", "synchronous-here", "{calls}", calls=10_000, sides=BESIDE_CPP),
    _traffic("asynchronous-client", "calls.py", "asynchronous-client", "{calls}", calls=20_000),
    _traffic("synchronous", "calls.py", "synchronous", "{calls}", calls=10_000),
    _traffic("synchronous-client", "calls.py", "synchronous-client", "{calls}", calls=10_000),
    *ON_ONE_PROCESSOR,
    _traffic("oneway", "calls.py", "oneway", "{calls}", calls=50_000),
    _traffic("dispatch-1", "dispatch.py", "plain", "{calls}", "1", calls=40_000),
    _traffic("dispatch-8", "dispatch.py", "plain", "{calls}", "8", calls=40_000),
    _on_loop("asyncio-1", 1, calls=5_000, faster=1.25),
    _on_loop("asyncio-100", 100, faster=2.5, cheaper=0.4),
    _on_loop("asyncio-1000", 1000),
    _on_loop("asyncio-100-1kB", 100, size=1000),
    _on_loop("asyncio-100-64kB", 100, size=64_000, calls=5_000),
    _on_loop("asyncio-100-coroutine", 100, servant="coroutine", faster=2.0),
    _on_loop("uvloop-100", 100, faster=1.8),
    ASYNCIO_GRPC,
    _traffic("coroutine-asyncio", "dispatch.py", "asyncio", "{calls}", "1", calls=15_000),
    _traffic("coroutine-uvloop", "dispatch.py", "uvloop", "{calls}", "1", calls=15_000),
    *(
        _traffic(f"locks-{kind}", "calls.py", kind, "{calls}", calls=calls, faster=0.98, sides=(WITHOUT_LOCKS, GUARDED))
        for kind, calls in (("asynchronous", 20_000), ("synchronous", 10_000))
    ),
    _traffic(
        "timeline",
        "calls.py",
        "asynchronous",
        "{calls}",
        calls=20_000,
        faster=0.97,
        sides=(UNTRACED, TRACED),
        on_one_processor=True,
    ),
    CROSSING,
    _gate(1),
    _gate(2),
    _gate(8),
    _exit(1, "explicit", 1.05),
    _exit(1, "implicit", None),
    _exit(10, "implicit", None),
    _exit(100, "implicit", 1.0),
    _exit(300, "implicit", 1.0),
    IMPORT,
    STARTUP,
    _memory("callbacks", 1_000_000),
    _memory("threads", 2_000),
)
