"""What one crossing costs: a native thread goes into Python and comes back, in nanoseconds."""

import statistics
import sys

from _measured import built, report

import icegil
from icegil import _bridge

ROUNDS = 7

icegil.install(mode="guard")
crossing = built("crossing")
redirects = [_bridge.Redirect(name, crossing.address()) for name in ("PyGILState_Release", "PyGILState_Ensure")]


def through_icegil(loops):
    # The imports of the module that measures lead to the bridge for a while, as those of IcePy do.
    for redirect in redirects:
        reason = redirect.put()
        if reason:
            sys.exit(f"{redirect.name} cannot be redirected: {reason}")
    took = crossing.gilstate(loops)
    for redirect in reversed(redirects):
        redirect.take_away()
    return took


def main():
    wanted, loops = sys.argv[1], int(sys.argv[2])
    ways = {"floor": crossing.floor, "icegil": through_icegil, "stock": crossing.gilstate}
    if hasattr(crossing, "view"):
        ways["view"] = crossing.view
    if wanted != "all":
        ways = {wanted: ways[wanted]}
    took = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, measure in ways.items():
            took[way].append(measure(loops // ROUNDS))
    report({f"{way}_ns": statistics.median(each) for way, each in took.items()})


main()
