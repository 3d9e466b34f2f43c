"""A generator that is never finished calls a proxy in its `finally`, in a program with its own `sys.excepthook`.

hazard: `sys` keeps the program's names to the last, and the call comes when Python has no modules any more
ends: status 3
needs: guard
"""

import sys

from _echo import communicator, serve

Error, sys_exit = Exception, sys.exit


def session(proxy):
    try:
        proxy.ice_ping()
        yield
    finally:
        for call in (proxy.ice_ping, lambda: proxy.ice_pingAsync().result(), proxy.ice_getConnection):
            try:
                call()
            except Error:
                pass


def report(kind, error, trace, hook=sys.excepthook):
    hook(kind, error, trace)


sys.excepthook = report
ice = communicator()
sessions = [session(serve(ice)) for _ in range(3)]
for each in sessions:
    next(each)
sys_exit(3)
