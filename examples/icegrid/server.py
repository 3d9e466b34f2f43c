"""Counts primes. IceGrid starts it as often as the application says: each process has a GIL, and a core, of its own."""

import signal
import sys

from icegil import Ice

import Numbers


class Primes(Numbers.Primes):
    def count(self, first: int, last: int, current: Ice.Current) -> int:
        return sum(is_prime(number) for number in range(first, last))


def is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


with Ice.initialize(sys.argv) as communicator:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: communicator.shutdown())
    adapter = communicator.createObjectAdapter("Primes")
    adapter.add(Primes(), Ice.stringToIdentity("primes"))
    adapter.activate()
    communicator.waitForShutdown()
