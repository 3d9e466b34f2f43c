"""What the measured programs share: a communicator, its other end in a plain process, and the meter."""

import asyncio
import importlib.util
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import Ice
from _meter import Meter, report

__all__ = ["Meter", "report"]

BUILD = Path(os.environ.get("BENCH_BUILD", "."))
"""Where the bench has put what it compiled."""


class Echo(Ice.Blobject):
    """Answers each request with its own arguments."""

    def ice_invoke(self, arguments, current):
        return True, arguments


class CoroutineEcho(Echo):
    """The same, on the event loop of its communicator."""

    async def ice_invoke(self, arguments, current):
        return True, arguments


def encapsulation(size):
    """As IcePy wants parameters: this many bytes of them, with a header."""
    return (size + 6).to_bytes(4, "little") + b"\1\1" + bytes(size)


def communicator(properties=None, loop=None):
    """A communicator with these properties, and an adapter to this event loop."""
    data = Ice.InitializationData()
    data.properties = Ice.createProperties()
    for name, value in (properties or {}).items():
        data.properties.setProperty(name, str(value))
    if loop is not None:
        data.eventLoopAdapter = Ice.asyncio.EventLoopAdapter(loop)
    return Ice.initialize(data) if Ice.intVersion() < 30800 else Ice.Communicator(initData=data)


def runner(kind):
    """Runs coroutines on a loop of this kind, asyncio or uvloop."""
    if kind == "asyncio":
        return asyncio.Runner()
    import uvloop

    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


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
