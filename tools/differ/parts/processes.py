"""Forks, `multiprocessing`, pools of processes, subprocesses."""

from __future__ import annotations

from textwrap import dedent

from tools.differ.part import FAILED, UNDESTROYED, Part

QUIET = "warnings.simplefilter('ignore', DeprecationWarning)  # from 3.12 on Python warns whoever forks with threads\n"

IN_CHILD = """
def in_child(proxy, status):
    import sys
    import threading
    import Ice
    server = Ice.initialize(["--Ice.Warn.Connections=0"]).stringToProxy(proxy).ice_collocationOptimized(False)
    def call():
        return server.ice_invoke("in_child", Ice.OperationMode.Normal, bytes([6, 0, 0, 0, 1, 1]))
    def call_for_ever():
        try:
            while call():
                pass
        except Ice.Exception:  # the communicator is gone
            pass
    call()
    threading.Thread(target=call_for_ever, daemon=True).start()
    if status:
        sys.exit(status)
    return "answered"
"""
"""What a process does that a program starts: it calls the servant, and leaves while a daemon thread calls it still."""


def _child(name: str, body: str, weight: float = 0.5) -> Part:
    """A process that calls, and ends well, or what it is that came of it; plain, it may crash."""
    told = f"""
operations["in_child"] = lambda: None
{dedent(body).strip()}
print("the child ended well" if ended in (3, ["answered"] * 4) else f"{FAILED}the child: {{ended}}", flush=True)
"""
    early = f"SOURCE = {IN_CHILD!r}\nexec(SOURCE)\n"
    return Part(name, told, early=early, stderr=UNDESTROYED, group="child that calls", spawns=True, weight=weight)


def _fork(name: str, in_child: str, weight: float = 0.7, *, leaves_by_itself: bool = False) -> Part:
    body = (
        QUIET
        + f"""
child = os.fork()
if child == 0:
    {in_child}
_, waited = os.waitpid(child, 0)
print("the child ended with", os.waitstatus_to_exitcode(waited), flush=True)
"""
    )
    return Part(
        name,
        body,
        group="fork",
        weight=weight,
        may_stand_still=leaves_by_itself,
        flushes_in_child=leaves_by_itself,
    )


PARTS = [
    _fork("a forked child leaves with sys.exit()", "sys.exit(5)", leaves_by_itself=True),
    _fork("a forked child leaves with os._exit()", "os._exit(5)"),
    _fork("a forked child becomes another program", "os.execv('/bin/true', ['true'])", weight=0.3),
    _fork(
        "a forked child has a communicator of its own",
        "with Ice.initialize() as in_child:\n"
        "        call('echo', in_child.stringToProxy(str(proxy)).ice_collocationOptimized(False))\n"
        "    sys.exit(5)",
        weight=0.3,
        leaves_by_itself=True,
    ),
    Part(
        "a forked child of multiprocessing",
        QUIET
        + """
forked = multiprocessing.get_context("fork").Process(target=abs, args=(-1,))
forked.start()
forked.join()
print("the forked process ended with", forked.exitcode)
""",
        flushes_in_child=True,
    ),
    Part(
        "a forked daemon of multiprocessing",
        QUIET
        + """
demon = multiprocessing.get_context("fork").Process(target=time.sleep, args=(0.3,), daemon=True)
demon.start()
""",
        flushes_in_child=True,
        weight=0.5,
    ),
    Part(
        "a pool of forked processes",
        QUIET
        + """
workers = multiprocessing.get_context("fork").Pool(2)
print(workers.map(abs, [-1, -2]), flush=True)
{{workers.terminate()|workers.close()}}
""",
        flushes_in_child=True,
        stderr=(".*ResourceWarning: unclosed running multiprocessing pool.*", "  .*"),
        weight=0.7,
    ),
    Part(
        "a queue of multiprocessing",
        "shared_queue = multiprocessing.get_context('fork').Queue()\nshared_queue.put('something')",
        weight=0.7,
    ),
    Part(
        "a spawned process",
        """
        spawned = multiprocessing.get_context("spawn").Process(target=abs, args=(-1,))
        spawned.start()
        {{spawned.join()|pass}}
        """,
        spawns=True,
        weight=0.4,
    ),
    Part(
        "an executor of forked processes",
        QUIET
        + """
fork = multiprocessing.get_context("fork")
in_processes = concurrent.futures.ProcessPoolExecutor(1, mp_context=fork)
print(in_processes.submit(abs, -3).result(), flush=True)
in_processes.shutdown()
""",
        flushes_in_child=True,
        early="import concurrent.futures",
        weight=0.5,
    ),
    _child(
        "a subprocess that calls",
        """
        program = f"{SOURCE}\\nin_child({str(proxy)!r}, 3)"
        ended = subprocess.run([sys.executable, "-c", program]).returncode
        """,
    ),
    _child(
        "a spawned process that calls",
        """
        makes_processes = multiprocessing.get_context("{{spawn|forkserver}}")
        child_that_calls = makes_processes.Process(target=in_child, args=(str(proxy), 3))
        child_that_calls.start()
        child_that_calls.join()
        ended = child_that_calls.exitcode
        """,
    ),
    _child(
        "a pool of spawned processes that call",
        """
        with multiprocessing.get_context("spawn").Pool(2) as child_that_calls:
            ended = child_that_calls.starmap(in_child, [(str(proxy), 0)] * 4)
            {{child_that_calls.close(); child_that_calls.join()|pass}}
        """,
    ),
    Part("a subprocess", "subprocess.run(['/bin/true'])", weight=0.5),
    Part(
        "a subprocess that goes on",
        "goes_on = subprocess.Popen(['sleep', '0.1'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)",
        stderr=(".*ResourceWarning: subprocess .* is still running", "  .*"),
        weight=0.3,
    ),
]
