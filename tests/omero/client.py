"""A program with a client of OMERO's, logged in, that ends in the way that its last argument says."""

import os
import signal
import sys
import threading

import omero
import omero.clients

port, how = sys.argv[1:]


def keep_alive():
    try:
        while True:
            session.keepAlive(None)
            has_called.set()
    except Exception:  # the session is gone; a daemon thread that prints while Python finalizes is CPython's own abort
        pass


client = omero.client(f"tcp://127.0.0.1:{port}")
client.enableKeepAlive(6)
session = client.createSession("user", "password")
has_called = threading.Event()
if "busy" in how:
    threading.Thread(target=keep_alive, daemon=True).start()
    has_called.wait()
if "closed" in how:
    client.closeSession()
if "exit" in how:
    sys.exit(3)
if "error" in how:
    raise ValueError("on purpose")
if "SIGTERM" in how:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    os.kill(os.getpid(), signal.SIGTERM)
if "SIGINT" in how:
    os.kill(os.getpid(), signal.SIGINT)
