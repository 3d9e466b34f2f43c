"""Threads make calls, asynchronous ones too, under a logger in Python with tracing on."""

import threading

import Ice


class Logger(Ice.Logger):
    def print(self, *words):
        pass

    trace = warning = error = _print = print

    def getPrefix(self):
        return ""

    def cloneWithPrefix(self, prefix):
        return self


def work():
    for _ in range(200):
        proxy.ice_ping()
        futures = [proxy.ice_pingAsync() for _ in range(4)]
        futures[-1].result()


data = Ice.InitializationData()
data.logger = Logger()
data.properties = Ice.createProperties(["client", "--Ice.Trace.Protocol=2", "--Ice.Trace.Network=3"])
with Ice.initialize(**{"initData" if Ice.intVersion() >= 30800 else "data": data}) as ice:
    adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    proxy = adapter.add(Ice.Object(), Ice.stringToIdentity("echo")).ice_collocationOptimized(False)
    adapter.activate()
    threads = [threading.Thread(target=work) for _ in range(4)]
    [each.start() for each in threads]
    [each.join() for each in threads]
