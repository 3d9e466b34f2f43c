"""Requests in Ice 3.7's older way, with three callbacks each.

hazard: they complete on threads of Ice while the program ends
ends: status 0
needs: AsyncResult
"""

from _echo import communicator, serve

ice = communicator()
proxy = serve(ice)


def answered(*_):
    print("answered", flush=True)


pending = [proxy.begin_ice_ping(_response=answered, _ex=answered, _sent=answered) for _ in range(500)]
