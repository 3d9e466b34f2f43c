"""A WSGI application for `gunicorn --preload`: it asks an Ice server as it is loaded, before any worker is forked.

The communicator of the master has no threads in the workers: each makes one of its own for its first page.
"""

import functools
import os

import Ice

communicator = Ice.initialize()
communicator.stringToProxy(os.environ["ECHO"]).ice_ping()
answers = 0


@functools.cache
def echo():
    return Ice.initialize().stringToProxy(os.environ["ECHO"])


def count(future):
    global answers
    answers += 1


def application(environ, start_response):
    calls = [echo().ice_invokeAsync("echo", Ice.OperationMode.Normal, b"") for _ in range(20)]
    for call in calls:
        call.add_done_callback(count)
    calls[0].result()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
