"""How long no other thread of Python runs while an adapter is made on a host whose name is slow to look up."""

import contextlib
import itertools
import sys
import threading
import time

import Ice

HOST = sys.argv[1] if len(sys.argv) > 1 else "slow.example"
ticks = [time.monotonic()]


def tick():
    while True:
        ticks.append(time.monotonic())
        time.sleep(0.01)


threading.Thread(target=tick, daemon=True).start()
with Ice.initialize() as ice:
    begun = time.monotonic()
    with contextlib.suppress(Ice.LocalException):
        ice.createObjectAdapterWithEndpoints("", f"tcp -h {HOST}")
    took = time.monotonic() - begun
    time.sleep(0.05)
longest = max(after - before for before, after in itertools.pairwise(ticks))
print(f"the look-up took {took:.2f} s; the other thread stood still for {longest:.2f} s")
sys.exit(took > 1 and longest > took / 2)
