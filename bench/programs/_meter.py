"""How long the measured programs take, and how they say so."""

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


def report(figures):
    """The figures, for the bench to read."""
    print(json.dumps(figures), flush=True)
