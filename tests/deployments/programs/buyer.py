"""Asks an exchange for prices from several threads until it is told to leave. Then it says how often it got none."""

import signal
import sys
import threading

import Ice
from _prices import ExchangePrx

failures = []


def ask(exchange, answered):
    while True:
        try:
            exchange.price("ICE")
            answered.set()
        except Ice.CommunicatorDestroyedException:
            return
        except Ice.Exception as failure:
            failures.append(failure)


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
ice = Ice.initialize(sys.argv)
exchange = ExchangePrx.uncheckedCast(ice.propertyToProxy("Market.Exchange"))
answers = [threading.Event() for _ in range(4)]
for answered in answers:
    threading.Thread(target=ask, args=[exchange, answered], daemon=True).start()
for answered in answers:
    answered.wait()
print("answered", flush=True)

signal.sigwait([signal.SIGTERM])
for answered in answers:  # each of them once more
    answered.clear()
    answered.wait()
print(*failures, f"{len(failures)} failed", sep="\n")
sys.exit(3)
