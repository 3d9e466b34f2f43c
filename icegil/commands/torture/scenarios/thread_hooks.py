"""Hooks are called as the threads of ten communicators start and stop.

hazard: a thread's last act is a call into Python, when Python may be gone
ends: status 0
"""

from _echo import communicator, serve, storm


def started():
    print("started", flush=True)


def stopped():
    print("stopped", flush=True)


pools = {"Ice.ThreadPool.Server.Size": 2, "Ice.ThreadPool.Server.SizeMax": 8, "Ice.ThreadPool.Server.SizeWarn": 0}
ices = [communicator(pools, threadStart=started, threadStop=stopped) for _ in range(10)]
pending = [storm(serve(ice), 50) for ice in ices]
for ice in ices[:5]:
    ice.destroy()
