"""Requests are on their way over TLS.

hazard: completions reach a runtime that is gone, and OpenSSL's own clean-up at exit meets threads that still use it
ends: status 0
tools: openssl
"""

import _tls
from _echo import communicator, serve, storm

with _tls.certificate() as properties:
    ice = communicator(properties)
for future in storm(serve(ice, endpoints="ssl -h 127.0.0.1"), 500):
    future.add_done_callback(lambda done: print("completed", flush=True))
