"""A WSGI application that asks an Ice server for each page; its communicator is the module's, and left to the exit."""

import os

import Ice

communicator = Ice.initialize()
echo = communicator.stringToProxy(os.environ["ECHO"])
answers = 0


def count(future):
    global answers
    answers += 1


def application(environ, start_response):
    calls = [echo.ice_invokeAsync("echo", Ice.OperationMode.Normal, b"") for _ in range(20)]
    for call in calls:
        call.add_done_callback(count)
    calls[0].result()  # the others are still under way when the page is sent
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
