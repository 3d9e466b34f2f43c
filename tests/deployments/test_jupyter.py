"""A Jupyter kernel whose cells use Ice: run, interrupted, restarted, shut down; guarded from outside or by a cell.

The figures of plain Ice beside these: `python tests/deployments/test_jupyter.py -n 20`.
"""

import contextlib
import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deployment import WITHIN, Runs, Side, check, compare, environment, fixture, python
from echo import beside_echo, missing

MISSING = missing("ipykernel", "jupyter_client")

CONNECT = """
import os, Ice
communicator = Ice.initialize()
echo = communicator.stringToProxy(os.environ["ECHO"])
"""
CALL = """
print(echo.ice_invokeAsync("echo", Ice.OperationMode.Normal, b"").result()[0])
await Ice.wrap_future(echo.ice_pingAsync())
"""
LOOP = """
print("begun", flush=True)
while True:
    echo.ice_invokeAsync("echo", Ice.OperationMode.Normal, b"").result()
"""
LEAVE = """
for _ in range(100):
    echo.ice_invokeAsync("echo", Ice.OperationMode.Normal, b"").add_done_callback(lambda future: future.exception())
"""


class Kernel:
    """A kernel, and what came of the cells that it ran."""

    def __init__(self, manager: Any, client: Any) -> None:
        self._manager = manager
        self._client = client
        self.wait_for_start()

    def wait_for_start(self) -> None:
        """Waits until the kernel answers, the first or one that is started anew."""
        self.process = self._manager.provisioner.process
        self._client.wait_for_ready(timeout=WITHIN)

    def run(self, cell: str, printed: str = "", interrupted: bool = False) -> None:
        """Runs a cell, and interrupts it when it has printed something. AssertionError if it does as it should not."""
        outputs: list[str] = []

        def on_output(message: dict[str, Any]) -> None:
            if message["msg_type"] in ("stream", "error"):
                outputs.append(message["content"].get("text", "") or message["content"].get("evalue", ""))
                if interrupted and message["msg_type"] == "stream":
                    self._manager.interrupt_kernel()

        content = self._client.execute_interactive(cell, output_hook=on_output, timeout=WITHIN)["content"]
        assert content.get("ename") == ("KeyboardInterrupt" if interrupted else None), outputs
        assert "".join(outputs) == printed, outputs


@contextlib.contextmanager
def kernel(given: dict[str, str], folder: Path) -> Iterator[tuple[Any, Kernel]]:
    """A manager and its kernel, whose process writes to the file `output` of the folder."""
    from jupyter_client import KernelManager

    manager = KernelManager(connection_file=str(folder / "kernel.json"), transport="ipc")
    assert manager.kernel_spec is not None
    manager.kernel_spec.argv[0] = python()
    manager.shutdown_wait_time = WITHIN  # it would be killed after that
    with (folder / "output").open("w") as output:
        manager.start_kernel(env=given, cwd=str(folder), stdout=output, stderr=output)
        client = manager.blocking_client()
        client.start_channels()
        try:
            yield manager, Kernel(manager, client)
        finally:
            client.stop_channels()
            if manager.has_kernel:
                manager.shutdown_kernel(now=True)
            manager.cleanup_resources()


def jupyter(how: str, side: Side, folder: Path, echo: str) -> str:
    """Has a kernel run cells, and leaves it with calls under way."""
    is_loaded = how == "%load_ext"
    given = environment(Side.PLAIN if is_loaded else side, ECHO=echo, IPYTHONDIR=str(folder))
    with kernel(given, folder) as (manager, begun):
        processes = [begun.process]
        if is_loaded and side is Side.GUARDED:
            begun.run("%load_ext icegil")
        begun.run(CONNECT)
        begun.run(CALL, printed="True\n")
        if how == "interrupt":
            begun.run(LOOP, printed="begun\n", interrupted=True)
            begun.run(CALL, printed="True\n")
        begun.run(LEAVE)
        if how == "restart":
            manager.restart_kernel()
            begun.wait_for_start()
            processes.append(begun.process)
            begun.run(CONNECT + CALL + LEAVE, printed="True\n")
        manager.shutdown_kernel()
    output = (folder / "output").read_text(errors="replace")
    for process in processes:
        if process.returncode != 0:
            return f"status {process.returncode} instead of 0\n{output}"
    return f"noise: {output}" if output.strip() else ""


DEPLOYMENTS = {
    f"Jupyter kernel, {how}": functools.partial(jupyter, how) for how in ("run", "interrupt", "restart", "%load_ext")
}
deployed = beside_echo(DEPLOYMENTS)
runs = fixture(deployed, MISSING)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_kernel_ends_with_its_own_status_in_silence(name: str, runs: Runs) -> None:
    check(runs[name])


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_the_extension_puts_icegil_in_place_and_takes_it_away(tmp_path: Path) -> None:
    show = "import icegil; print(icegil.status().mode)"
    with kernel(environment(Side.PLAIN, IPYTHONDIR=str(tmp_path)), tmp_path) as (manager, begun):
        begun.run(show, printed="off\n")
        begun.run("%load_ext icegil\n" + show, printed="guard\n")
        begun.run("%unload_ext icegil\n" + show, printed="off\n")
        manager.shutdown_kernel()


if __name__ == "__main__":
    sys.exit(compare(deployed, MISSING))
