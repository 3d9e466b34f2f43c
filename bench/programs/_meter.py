"""How long the measured programs take, and how they say so."""

import asyncio
import json
import time


class Meter:
    """Elapsed time and processor time of a `with` block, per call.

    The processor time is that of all threads, user and system; `os.times` has it too, but by the hundredth of a second.
    """

    def __init__(self, calls):
        self._calls = calls
        self.figures = {}

    def __enter__(self):
        self._cpu = time.process_time()
        self._begun = time.perf_counter()
        return self

    def __exit__(self, *_):
        elapsed = time.perf_counter() - self._begun
        cpu = time.process_time() - self._cpu
        self.figures = {"calls_per_second": self._calls / elapsed, "cpu_us_per_call": 1e6 * cpu / self._calls}


async def at_once(call, count, calls):
    """The figures of so many calls by `await call()`, of which this many are under way at once."""

    async def work(share):
        for _ in range(share):
            await call()

    async def ask(number):
        await asyncio.gather(*[work(max(1, number // count)) for _ in range(count)])

    await ask(calls // 10)  # connected, and warm
    with Meter(max(1, calls // count) * count) as meter:
        await ask(calls)
    return meter.figures


def report(figures):
    """The figures, for the bench to read."""
    print(json.dumps(figures), flush=True)
