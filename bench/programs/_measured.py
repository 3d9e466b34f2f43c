"""What the measured programs share: a communicator, its other end in a plain process, and the meter."""

import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import Ice

BUILD = Path(os.environ.get("BENCH_BUILD", "."))
"""Where the bench has put what it compiled."""


class Echo(Ice.Blobject):
    """Answers each request with its own arguments."""

    def ice_invoke(self, arguments, current):
        return True, arguments


def communicator(properties=None, loop=None):
    """A communicator with these properties, and an adapter to this event loop."""
    data = Ice.InitializationData()
    data.properties = Ice.createProperties()
    for name, value in (properties or {}).items():
        data.properties.setProperty(name, str(value))
    if loop is not None:
        data.eventLoopAdapter = Ice.asyncio.EventLoopAdapter(loop)
    return Ice.initialize(data) if Ice.intVersion() < 30800 else Ice.Communicator(initData=data)


def serve(ice, servant):
    """Serves a servant on an adapter of its own; the adapter, and a proxy that goes through the network."""
    adapter = ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1")
    made = adapter.add(servant, Ice.stringToIdentity("echo"))
    adapter.activate()
    return adapter, made.ice_collocationOptimized(False)


class OtherEnd:
    """A program of this folder in a process of its own: run as this one is if `same`, otherwise plain."""

    def __init__(self, program, *arguments, same=False):
        run = ["-m", "icegil", "run"] if same and "icegil" in sys.modules else []
        command = [sys.executable, *run, str(Path(__file__).with_name(program)), *map(str, arguments)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, question=""):
        """One line there, one line back."""
        self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def end(self):
        self._process.stdin.close()
        self._process.wait()


class Meter:
    """Elapsed time and processor time of a `with` block, per call.

    The processor time is that of all threads, user and system; `os.times` has it too, but by the hundredth of a second.
    """

    def __init__(self, calls):
        self._calls = calls
        self.figures = {}

    def __enter__(self):
        self._cpu = time.process_time()
        self._begun = time.perf_counter()
        return self

    def __exit__(self, *_):
        elapsed = time.perf_counter() - self._begun
        cpu = time.process_time() - self._cpu
        self.figures = {"calls_per_second": self._calls / elapsed, "cpu_us_per_call": 1e6 * cpu / self._calls}


def report(figures):
    """The figures, for the bench to read."""
    print(json.dumps(figures), flush=True)


def built(name):
    """The extension module of this name that the bench has compiled."""
    spec = importlib.util.spec_from_file_location(name, BUILD / (name + sysconfig.get_config_var("EXT_SUFFIX")))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def resident_kib():
    """Resident memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise OSError("/proc/self/status has no VmRSS")


if os.environ.get("BENCH_WITHOUT_LOCK_REDIRECTS"):
    from icegil import redirects

    for function, redirect in redirects.known():
        if function.imported_by == redirects.RUNTIME:
            redirect.take_away()
