"""The admin facet `IceGil`, and `icegil snapshot`, which asks for it: what they show, and that nothing hangs on it."""

import contextlib
import getpass
import json
import shutil
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from children import PYTHONPATH, python
from terminal import Seen, in_pipe

SLICE = Path(__file__).parents[1] / "docs" / "IceGil.ice"
LISTENS = ("--Ice.Admin.Endpoints=tcp -h 127.0.0.1", "--Ice.Admin.InstanceName=station")
HAS_FACET = (*LISTENS, "--IceGil.Admin=1")

BEGINNING = """\
import os, sys, threading
import icegil
from icegil import Ice

def address(ice):
    return ice.proxyToString(ice.getAdmin()).partition(":")[2]

"""
SERVER = """
with Ice.initialize(sys.argv) as ice:
    print(address(ice), flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def server(code: str, *words: str, status: int = 0, complains: str = "") -> Iterator[str]:
    """The address at which a program's admin object is, until its stdin is closed; it has to end well."""
    command = [sys.executable, "-c", BEGINNING + textwrap.dedent(code), *words]
    pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
    environment = {"PYTHONPATH": PYTHONPATH}
    with subprocess.Popen(command, text=True, env={**environment}, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield f"station/admin:{process.stdout.readline().strip()}"
            _, stderr = process.communicate("", timeout=60)
            assert process.returncode == status
            assert complains in stderr if complains else not stderr
        finally:
            process.kill()


def check(code: str, *words: str, says: str = "well\n", within: float = 60) -> None:
    ended = python("-c", BEGINNING + textwrap.dedent(code), *words, within=within)
    assert (ended.stdout, ended.stderr, ended.status) == (says, "", 0), ended


def asked(*words: str) -> dict:
    seen = in_pipe("snapshot", "--json", *words)
    assert (seen.status, seen.stderr) == (0, ""), seen
    return json.loads(seen.stdout)


def refused(*words: str) -> str:
    """What the command says when it can show nothing."""
    seen = in_pipe("snapshot", *words)
    assert (seen.status, seen.stdout) == (1, ""), seen
    assert seen.stderr.startswith("icegil snapshot: ") and seen.stderr.count("\n") == 1
    return seen.stderr


# --- What it shows --------------------------------------------------------------------------------------------------


def test_the_command_shows_the_process_and_its_communicators() -> None:
    with server(SERVER, *HAS_FACET) as proxy:
        seen = in_pipe("snapshot", proxy)
        assert (seen.status, seen.stderr) == (0, "")
        assert "mode           guard\n" in seen.stdout
        assert "gate           open: " in seen.stdout
        assert "<string>:9            active  " in seen.stdout
        assert seen.stdout.endswith("no thread is inside a callback\n")


def test_json_has_the_fields_of_status_and_snapshot(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("IceGil.Admin=1\nIceGil.DrainTimeout=inf\n")
    with server(SERVER, *LISTENS, f"--Ice.Config={config}") as proxy:
        found = asked(proxy)
        assert asked(proxy.replace("admin:", "admin -f IceGil:"))["status"]["process"] == found["status"]["process"]
    status, snapshot = found["status"], found["snapshot"]
    assert status["mode"] == "guard" and status["drain_timeout"] is None
    assert status["settings"]["drain_timeout"] == {"value": None, "source": "properties"}
    assert [each["state"] for each in snapshot["communicators"]] == ["active"]
    assert snapshot["callbacks"] == [] and snapshot["is_finalizing"] is False


def test_a_servant_that_is_stuck_is_shown_where_the_facets_have_a_thread_of_their_own() -> None:
    stuck = """
    from _stuck import stick
    ice = Ice.initialize(sys.argv)
    stick(ice)
    print(address(ice), flush=True)
    sys.stdin.read()
    """
    words = (*HAS_FACET, "--IceGil.DrainTimeout=0.2")
    with server(stuck, *words, "--Ice.Admin.ThreadPool.Size=1", complains="not everything ended") as proxy:
        [callback] = asked(proxy)["snapshot"]["callbacks"]
        assert callback["seconds"] > 0  # since it began, not since the first question
        seen = in_pipe("snapshot", proxy)
        assert "inside a callback for " in seen.stdout and "in ice_invoke\n" in seen.stdout
    with server(stuck, *words, complains="not everything ended") as proxy:
        assert "no answer came in time" in refused("--timeout", "0.5", proxy)


def test_slice_made_of_the_published_file_can_call_it(tmp_path: Path) -> None:
    check(
        f"""
        import json
        Ice.loadSlice(*([["{SLICE}"]] if Ice.intVersion() >= 30800 else ["", ["{SLICE}"]]))
        import Gil
        with Ice.initialize(sys.argv) as ice, Ice.initialize() as client:
            far = client.stringToProxy("station/admin -f IceGil:" + address(ice))
            process = Gil.ProcessPrx.checkedCast(far)
            assert json.loads(process.status())["process"] == os.getpid()
            assert len(json.loads(process.snapshot())["communicators"]) == 2
            far.ice_ping()
            assert far.ice_id() == "::Gil::Process" and far.ice_ids() == ["::Gil::Process", "::Ice::Object"]
            assert not far.ice_isA("::Gil::Other") and far.ice_isA("::Ice::Object")
            try:
                far.ice_invoke("other", Ice.OperationMode.Normal, b"\\6\\0\\0\\0\\1\\1")
            except Ice.OperationNotExistException:
                print("well")
        """,
        *HAS_FACET,
    )


def test_slice2py_takes_the_published_file(tmp_path: Path) -> None:
    beside = Path(sys.executable).with_name("slice2py")
    slice2py = str(beside) if beside.exists() else shutil.which("slice2py")
    if slice2py is None:
        pytest.skip("slice2py is not installed")
    done = subprocess.run([slice2py, "--output-dir", str(tmp_path), str(SLICE)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.rglob("*.py"))


# --- Nothing that was not asked for ---------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [(), ("--IceGil.Admin=0",)], ids=["nothing", "0"])
def test_it_is_not_there_if_it_was_not_asked_for(words: tuple[str, ...]) -> None:
    with server(SERVER, *LISTENS, *words) as proxy:
        assert "the process has no such facet" in refused(proxy)


def test_ices_list_of_facets_holds_for_it_too() -> None:
    with server(SERVER, *HAS_FACET, "--Ice.Admin.Facets=Process") as proxy:
        assert "the process has no such facet" in refused(proxy)
    with server(SERVER, *HAS_FACET, "--Ice.Admin.Facets=Process IceGil") as proxy:
        assert asked(proxy)["status"]["mode"] == "guard"


def test_nothing_listens_for_it_alone() -> None:
    check(
        """
        def listening():
            with open("/proc/net/tcp") as table:
                inodes = {line.split()[9] for line in table if line.split()[3] == "0A"}
            links = [os.readlink(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd")[:-1]]
            return [link for link in links if link[8:-1] in inodes]

        with Ice.initialize(sys.argv) as ice:
            assert ice.findAdminFacet("IceGil") is not None and ice.getAdmin() is None and not listening()
            adapter = ice.createObjectAdapterWithEndpoints("other", "tcp -h 127.0.0.1")
            assert listening()
            admin = ice.createAdmin(adapter, Ice.stringToIdentity("own/admin"))  # the program's own door
            adapter.activate()
            assert admin.ice_facet("IceGil").ice_id() == "::Gil::Process"
        print("well")
        """,
        "--IceGil.Admin=1",
        "--Ice.Admin.Enabled=1",
    )


def test_the_command_opens_no_door_of_the_servers_configuration(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = tmp_path / "config"
        config.write_text(f"Ice.Admin.Endpoints=tcp -h 127.0.0.1 -p {taken.getsockname()[1]}\nIceGil.Admin=1\n")
        with server(SERVER, *HAS_FACET) as proxy:
            assert asked(f"--Ice.Config={config}", proxy)["status"]["mode"] == "guard"


# --- The end --------------------------------------------------------------------------------------------------------


def test_it_keeps_no_communicator() -> None:
    check(
        """
        import gc, weakref
        gc.disable()
        with Ice.initialize(list(sys.argv)):
            pass  # what is made once for all
        ice = Ice.initialize(sys.argv)
        servant = weakref.ref(ice.findAdminFacet("IceGil"))
        assert servant() is not None
        ice.destroy()
        gone = weakref.ref(ice)
        del ice
        gc.collect()
        assert gone() is None and servant() is None
        print("well")
        """,
        *HAS_FACET,
    )


def test_a_program_that_never_destroys_its_communicator_ends_well_with_it() -> None:
    with server(
        "ice = Ice.initialize(sys.argv)\nprint(address(ice), flush=True)\nsys.stdin.read()", *HAS_FACET
    ) as proxy:
        assert asked(proxy)["status"]["mode"] == "guard"


ASKS = r"""
import sys, Ice
ice = Ice.initialize(["asks", "--Ice.Default.InvocationTimeout=20000"])
facet = ice.stringToProxy(sys.argv[1])
print("asks", flush=True)
try:
    while True:
        facet.ice_invoke("snapshot", Ice.OperationMode.Idempotent, b"\6\0\0\0\1\1")
except Ice.LocalException as error:
    print("hangs" if type(error).__name__ == "InvocationTimeoutException" else "refused")
ice.destroy()
"""


def test_who_asks_again_and_again_while_the_process_ends_is_answered_or_refused(tmp_path: Path) -> None:
    # It ends with its communicator alive, so that questions come at every step of the shutdown.
    (tmp_path / "asks.py").write_text(ASKS)
    check(
        f"""
        import subprocess
        from icegil import shutdown
        ice = Ice.initialize(sys.argv)
        command = [sys.executable, "{tmp_path}/asks.py", "station/admin -f IceGil:" + address(ice)]
        asks = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert asks.stdout.readline() == "asks\\n"
        while icegil.status().gate.admitted < 20:
            pass

        def last():
            print(asks.stdout.read(), end="", flush=True)
            asks.wait()

        shutdown.afterwards(last)
        """,
        *HAS_FACET,
        says="refused\n",
    )


def test_it_is_there_after_icegil_was_taken_away_and_put_back() -> None:
    check(
        """
        with Ice.initialize(sys.argv) as ice:
            icegil.uninstall()
            icegil.install()
            far = ice.stringToProxy("station/admin -f IceGil:" + address(ice))
            print(far.ice_id())
        """,
        *HAS_FACET,
        says="::Gil::Process\n",
    )


# --- What the command says when it can show nothing -----------------------------------------------------------------


def test_an_address_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "nobody listens there" in refused(f"station/admin:tcp -h 127.0.0.1 -p {port}")


def test_a_host_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        words = ("--timeout", "0.5", f"station/admin:tcp -h 127.0.0.1 -p {silent.getsockname()[1]}")
        assert "no answer came in time" in refused(*words)


@pytest.mark.parametrize("text", ["no proxy at all", "station/admin:carrier-pigeon", "@@"])
def test_what_is_no_proxy(text: str) -> None:
    assert "that is no proxy. One looks like" in refused(text)


def test_a_proxy_without_an_address() -> None:
    assert "the proxy says no address" in refused("station/admin")


def test_another_object_of_the_same_server() -> None:
    with server(SERVER, *HAS_FACET) as proxy:
        assert "no such object" in refused(proxy.replace("station/", "other/"))
        assert "that object is not icegil's admin facet" in refused(proxy.replace("admin:", "admin -f Process:"))


def test_an_object_that_answers_something_else() -> None:
    echo = """
    from _echo import Echo
    with Ice.initialize(sys.argv) as ice:
        ice.addAdminFacet(Echo(), "Echo")
        print(address(ice), flush=True)
        sys.stdin.read()
    """
    with server(echo, *LISTENS) as proxy:
        assert "it answers with something else" in refused(proxy.replace("admin:", "admin -f Echo:"))


def test_a_server_of_icegrids_without_a_registry() -> None:
    assert "--Ice.Default.Locator=" in refused("--server", "station")


@pytest.mark.parametrize("words", [(), ("a:tcp -p 1", "--server", "b")], ids=["neither", "both"])
def test_one_of_proxy_and_server_is_needed(words: tuple[str, ...]) -> None:
    seen = in_pipe("snapshot", *words)
    assert seen.status == 2 and "a proxy or --server is needed, one of them" in seen.stderr


def test_words_that_ice_does_not_know() -> None:
    assert "Ice does not know --IceCold.Water=1" in refused("--IceCold.Water=1", "a:tcp -p 1")


def test_other_commands_take_no_properties() -> None:
    seen: Seen = in_pipe("doctor", "--Ice.Config=x")
    assert seen.status == 2 and "unrecognized arguments: --Ice.Config=x" in seen.stderr


# --- IceGrid --------------------------------------------------------------------------------------------------------

APPLICATION = """
<icegrid>
  <application name="weather">
    <node name="node">
      <server id="station" exe="{python}" activation="always" user="{user}">
        <option>{script}</option>
        <env>PYTHONPATH={path}</env>
        <property name="IceGil.Admin" value="1"/>
        <property name="IceGil.DrainTimeout" value="3"/>
      </server>
    </node>
  </application>
</icegrid>
"""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Where the locator of a registry is, with a node that runs a server; both are IceGrid's."""
    if shutil.which("icegridnode") is None:
        pytest.skip("icegridnode is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        endpoint = f"tcp -h 127.0.0.1 -p {free.getsockname()[1]}"
    for name in ("registry", "node"):
        (tmp_path / name).mkdir()
    (tmp_path / "config").write_text(f"""
        Ice.Default.Locator=IceGrid/Locator:{endpoint}
        IceGrid.Registry.Client.Endpoints={endpoint}
        IceGrid.Registry.Server.Endpoints=tcp -h 127.0.0.1
        IceGrid.Registry.Internal.Endpoints=tcp -h 127.0.0.1
        IceGrid.Registry.AdminPermissionsVerifier=IceGrid/NullPermissionsVerifier
        IceGrid.Registry.LMDB.Path={tmp_path}/registry
        IceGrid.Node.CollocateRegistry=1
        IceGrid.Node.Name=node
        IceGrid.Node.Endpoints=tcp -h 127.0.0.1
        IceGrid.Node.Data={tmp_path}/node
        IceGrid.Node.AllowRunningServersAsRoot=1
        IceGridAdmin.Username=nobody
        IceGridAdmin.Password=none
    """)
    started = tmp_path / "started"
    script = tmp_path / "server.py"
    script.write_text(f"""
import pathlib, sys
from icegil import Ice
with Ice.initialize(sys.argv) as ice:
    pathlib.Path({str(started)!r}).touch()
    ice.waitForShutdown()
""")
    (tmp_path / "application.xml").write_text(
        APPLICATION.format(python=sys.executable, script=script, path=PYTHONPATH, user=getpass.getuser())
    )
    command = ["icegridnode", f"--Ice.Config={tmp_path}/config", "--deploy", f"{tmp_path}/application.xml"]
    pipes = {"stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
    with open(tmp_path / "log", "w+") as log, subprocess.Popen(command, stdout=log, **pipes) as node:
        try:
            while not started.exists():
                assert node.poll() is None, (tmp_path / "log").read_text()
                time.sleep(0.05)  # between two looks
            yield f"--Ice.Default.Locator=IceGrid/Locator:{endpoint}"
            node.terminate()
            assert node.wait(60) == 0
        finally:
            node.kill()


def test_under_icegrid_the_servers_id_is_enough(registry: str) -> None:
    found = asked("--server", "station", registry)
    assert found["status"]["settings"]["drain_timeout"] == {"value": 3.0, "source": "properties"}
    assert [each["state"] for each in found["snapshot"]["communicators"]] == ["active"]
    assert "the registry knows no such server" in refused("--server", "other", registry)
