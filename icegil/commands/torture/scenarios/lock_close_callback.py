"""Connections are given close callbacks and closed by some threads while others make requests on them.

hazard: what a connection drops when it closes belongs to Python; who has the GIL wants the connection's lock
ends: status 0
needs: guard Future
within: 20
"""

from concurrent.futures import ThreadPoolExecutor

import Ice
from _echo import communicator, serve
from _futures import with_futures


def close(connection):
    if Ice.intVersion() < 30800:
        connection.close(Ice.ConnectionClose.Forcefully)
    else:
        connection.abort()


def ask(proxy):
    for _ in range(20):
        for future in [proxy.ice_pingAsync() for _ in range(20)]:
            try:
                future.result()
            except Ice.LocalException:
                pass  # its connection was closed


def ask_again(proxy):
    try:
        proxy.ice_pingAsync()
    except Ice.CommunicatorDestroyedException:
        pass  # it was the last connection that closed


def disturb(proxy):
    for _ in range(100):
        connection = proxy.ice_getConnection()
        for number in range(3):
            connection.setCloseCallback(lambda closed, number=number: ask_again(proxy))
        close(connection)


with communicator() as server, communicator({"Ice.ThreadPool.Client.Size": 2}) as client, ThreadPoolExecutor() as pool:
    proxy = with_futures(client.stringToProxy(str(serve(server))))
    for done in [pool.submit(work, proxy) for work in (ask, disturb) * 2]:
        done.result()
