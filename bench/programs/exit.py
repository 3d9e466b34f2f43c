"""Makes live communicators and ends: with an explicit `destroy()` of each, or without; or leaves before the end."""

import os
import resource
import sys
import time

from _measured import Echo, communicator, report, serve


def main():
    count, explicit = int(sys.argv[1]), sys.argv[2] == "explicit"
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # each communicator has about ten files open
    made = []
    for _ in range(count):
        ice = communicator()
        _, proxy = serve(ice, Echo())
        proxy.ice_ping()
        made.append((ice, proxy))
    report({"work_ended_ns": time.monotonic_ns()})
    if "leave" in sys.argv:
        os._exit(0)
    if explicit:
        for ice, _ in made:
            ice.destroy()


main()
