"""icegil where there is no compiled part: the boundary in Python, mode `teardown`, and nothing that Windows has not.

A copy of the package without its extension stands before the installed one; what is run there is a process of its own.
"""

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from children import PYTHONPATH

import icegil
from icegil.commands.torture.endings import Ending, run

ROOT = Path(icegil.__file__).parent
RUNS = 5

# An editable install would find the extension for the copy, too, and `-c` what stands in the current directory.
STARTUP = """
    import os, sys
    os.chdir(os.path.dirname(__file__))
    sys.meta_path[:] = [each for each in sys.meta_path if not each.__module__.startswith("__editable__")]
    """

# What CPython has on Linux and not on Windows.
WITHOUT_WINDOWS = """
    import os, signal, sys
    MODULES = "fcntl grp pty pwd readline resource syslog termios tty".split()
    for name in MODULES:
        sys.modules[name] = None
    for name in "confstr fork geteuid getuid killpg register_at_fork sched_getaffinity setsid uname waitid".split():
        delattr(os, name)
    for name in ("SIGKILL", "SIGHUP", "SIGALRM", "SIGUSR1", "setitimer"):
        delattr(signal, name)
    """


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pure")
    shutil.copytree(ROOT, folder / "icegil", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    (folder / "sitecustomize.py").write_text(textwrap.dedent(STARTUP))
    return folder


def ending(copy: Path, code: str, *arguments: str, **environment: str) -> Ending:
    command = [sys.executable, *arguments, "-c", textwrap.dedent(code)]
    return run(command, 60, {"PYTHONPATH": f"{copy}:{PYTHONPATH}", **environment})


def check(copy: Path, code: str, *, says: str = "", status: int = 0, **environment: str) -> None:
    for _ in range(RUNS):
        ended = ending(copy, code, **environment)
        assert (ended.status, ended.stdout, ended.stderr) == (status, says, ""), ended


def test_it_says_that_there_is_no_guard_and_why(copy: Path) -> None:
    check(
        copy,
        """
        import platform, sys
        import icegil
        icegil.install()
        found = icegil.status()
        print(found.mode, "on " + sys.platform in found.reason, "without its compiled part" in found.reason)
        print(found.redirected, found.gate.admitted, icegil.snapshot().callbacks)
        """,
        says="teardown True True\n() 0 ()\n",
    )


def test_a_guard_that_is_asked_for_is_an_error(copy: Path) -> None:
    check(
        copy,
        """
        import icegil
        try:
            icegil.install("guard")
        except icegil.GuardUnavailable as error:
            print("without its compiled part" in str(error))
        """,
        says="True\n",
    )


def test_a_guard_that_a_property_asks_for_is_said_not_to_be_there(copy: Path) -> None:
    code = """
        import icegil
        from icegil import Ice
        with Ice.initialize(["program", "--IceGil.Mode=guard", "--IceGil.DrainTimeout=3", "--IceGil.Trace=x.json"]):
            print(icegil.status().mode, icegil.status().drain_timeout)
        """
    ended = ending(copy, code)
    assert (ended.status, ended.stdout) == (0, "teardown 3.0\n")
    guard, timeline = ended.stderr.splitlines()
    assert guard.startswith("IceGil.Mode=guard cannot be done: icegil was installed without its compiled part")
    assert timeline.startswith("no timeline: icegil was installed without its compiled part")


def test_the_admin_facet_answers(copy: Path) -> None:
    check(
        copy,
        """
        from icegil import Ice
        with Ice.initialize(["program", "--IceGil.Admin", "--Ice.Admin.Endpoints=tcp -h 127.0.0.1"]) as ice:
            far = ice.stringToProxy(ice.proxyToString(ice.getAdmin())).ice_facet("IceGil")
            for name in ("status", "snapshot"):
                is_good, answer = far.ice_invoke(name, Ice.OperationMode.Idempotent, b"\\6\\0\\0\\0\\1\\1")
                print(is_good, b'"teardown"' in answer, b'"active"' in answer)
        """,
        says="True True False\nTrue False True\n",
    )


def test_a_timeline_that_is_asked_for_is_an_error(copy: Path) -> None:
    check(
        copy,
        """
        import icegil
        try:
            icegil.trace.start()
        except NotImplementedError as error:
            print(error)
        """,
        says="the timeline is recorded by icegil's extension, which is not built for this platform\n",
    )


def test_a_timeline_that_the_environment_asks_for_does_not_end_the_program(copy: Path) -> None:
    ended = ending(copy, "import icegil; icegil.install(); print('goes on')", ICEGIL_TRACE="timeline.json")
    assert (ended.status, ended.stdout) == (0, "goes on\n"), ended
    assert ended.stderr.startswith("no timeline: icegil was installed without its compiled part"), ended


BUSY = """
    import sys, threading
    from icegil import Ice
    from _echo import communicator, serve, storm

    ice = communicator({"Ice.ThreadPool.Client.Size": 4})
    futures = storm(serve(ice), 200)
    """


@pytest.mark.parametrize("end", ["sys.exit(5)", "ice.destroy(); sys.exit(5)", "ice.shutdown(); sys.exit(5)"])
def test_a_busy_program_keeps_its_status(copy: Path, end: str) -> None:
    check(copy, f"{textwrap.dedent(BUSY)}{end}", status=5)


def test_what_the_program_leaves_is_destroyed_after_its_handlers_and_before_python_finalizes(copy: Path) -> None:
    check(
        copy,
        """
        import atexit, sys
        import icegil
        from icegil import Ice
        from _echo import communicator, serve

        def call():
            proxy.ice_ping()
            print("called")

        class Late:
            def __init__(self):
                self.life, self.gate_state = icegil.lifecycle.life_of(ice), icegil._bridge.gate_state

            def __del__(self):
                print(self.life.state.value, self.gate_state())

        atexit.register(call)
        ice = communicator()
        proxy = serve(ice)
        late = Late()
        sys.exit(3)
        """,
        says="called\ndestroyed sealed\n",
        status=3,
    )


def test_threads_on_their_way_back_into_python_are_let_in_before_it_finalizes(copy: Path) -> None:
    code = """
        import sys, threading
        from icegil import _bridge

        sys.setswitchinterval(100)  # no thread takes the GIL from another
        _bridge.PAUSE, _bridge.LONGEST_RETURN = 0.5, 30  # the processor may be busy
        may_return, came_back = threading.Lock(), []

        def call():
            with may_return:
                came_back.append(True)

        may_return.acquire()
        for _ in range(3):
            threading.Thread(target=call, daemon=True).start()
        may_return.release()
        print(came_back)
        _bridge.drain(30.0)
        print(came_back)
        """
    check(copy, code, says="[]\n[True, True, True]\n")


def test_destructions_are_awaited_and_bounded(copy: Path) -> None:
    check(
        copy,
        """
        import asyncio
        import icegil
        from icegil import Ice
        from _echo import communicator, serve

        async def main():
            loop = asyncio.get_running_loop() if hasattr(Ice, "asyncio") else None
            ice, other = communicator(), communicator(loop=loop)
            proxy = serve(ice)
            await asyncio.gather(icegil.destroy_async(ice), icegil.destroy_async(ice, timeout=30))
            async with other:
                pass
            third = communicator()
            icegil.destroy(third, timeout=30)
            print([each.state for each in icegil.snapshot().communicators])

        asyncio.run(main())
        """,
        says="['destroyed', 'destroyed', 'destroyed']\n",
    )


def test_a_stuck_destruction_is_given_up(copy: Path) -> None:
    code = """
        import sys, threading
        from icegil import Ice
        from _echo import Echo, communicator, serve

        class Stuck(Echo):
            def ice_invoke(self, arguments, current):
                begun.set()
                never.wait()

        never, begun = threading.Event(), threading.Event()
        ice = communicator()
        serve(ice, Stuck()).ice_oneway().ice_invoke("stick", Ice.OperationMode.Normal, b"")
        begun.wait()
        sys.exit(4)
        """
    ended = ending(copy, code, ICEGIL_DRAIN_TIMEOUT="0.5")
    assert "not everything ended within 0.5 s of shutdown" in ended.stderr, ended


def test_a_communicator_can_be_made_when_python_starts_no_thread(copy: Path) -> None:
    code = """
        import _thread, sys
        from icegil import Ice
        from _echo import communicator, serve

        def refuse(*arguments):  # as CPython 3.12 does from the beginning of its end on
            raise RuntimeError("can't create new thread at interpreter shutdown")

        _thread.start_new_thread = refuse
        serve(communicator()).ice_ping()
        sys.exit(4)
        """
    check(copy, code, status=4)


def test_dispatches_of_coroutines_are_answered(copy: Path) -> None:
    if not hasattr(icegil.install(), "asyncio"):
        pytest.skip("this Ice knows no event loops")
    check(
        copy,
        """
        import asyncio
        from icegil import Ice
        from _echo import Echo, communicator, serve

        class Slow(Echo):
            async def ice_invoke(self, arguments, current):
                await asyncio.sleep(0)
                if current.operation == "fail":
                    raise ValueError("on purpose")
                return True, arguments

        async def main():
            loop = asyncio.get_running_loop()
            async with communicator({"Ice.Warn.Dispatch": 0}, loop=loop) as ice:
                proxy = serve(ice, Slow())
                call = lambda name: proxy.ice_invokeAsync(name, Ice.OperationMode.Normal, b"")
                print([is_well for is_well, _ in await asyncio.gather(*(call("echo") for _ in range(3)))])
                try:
                    await call("fail")
                except Ice.UnknownException:
                    print("failed")

        asyncio.run(main())
        """,
        says="[True, True, True]\nfailed\n",
    )


@pytest.mark.parametrize("startup", ["", WITHOUT_WINDOWS], ids=["here", "without what Windows lacks"])
def test_every_module_can_be_imported(copy: Path, startup: str) -> None:
    code = """
        import importlib, pkgutil
        import icegil
        # The plug-in wants pytest, the hooks want PyInstaller, which runs them; the others are programs.
        left_out = (
            "icegil.pytest", "icegil.pyinstaller.hook-",
            "icegil.commands.torture.scenarios", "icegil.__main__", "icegil.include",
        )
        found = [each.name for each in pkgutil.walk_packages(icegil.__path__, "icegil.")]
        names = [name for name in found if not name.startswith(left_out)]
        for name in names:
            importlib.import_module(name)
        print(len(names) > 40)
        """
    check(copy, textwrap.dedent(startup) + textwrap.dedent(code), says="True\n")


def test_the_commands_work(copy: Path) -> None:
    program = copy / "program.py"
    program.write_text("import sys\nfrom _echo import communicator, serve\nserve(communicator())\nsys.exit(6)\n")
    environment = {"PYTHONPATH": f"{copy}:{PYTHONPATH}"}
    ran = run([sys.executable, "-m", "icegil", "run", str(program)], 60, environment)
    assert (ran.status, ran.stderr) == (6, "")
    doctor = run([sys.executable, "-m", "icegil", "doctor"], 60, environment)
    assert doctor.status == 1
    assert "there is no guard: icegil was installed without" in " ".join(doctor.stdout.split())
    names = ["exit_in_servant", "never_destroyed_status"]
    torture = run([sys.executable, "-m", "icegil", "torture", "-n", "1", "--guarded", *names], 60, environment)
    assert re.search(r"exit_in_servant +skipped +there is no guard here\n", torture.stdout), torture
    assert torture.stdout.endswith("icegil: 1 of 1 runs ended well\n"), torture


def test_nothing_is_compiled_where_there_can_be_no_guard(tmp_path: Path) -> None:
    tree = ROOT.parent
    if not (tree / "setup.py").exists():
        pytest.skip("icegil is installed without its sources")
    code = f"""
        import os, sys
        import setuptools
        found = []
        setuptools.setup = lambda **settings: found.append(settings["ext_modules"])
        os.chdir({str(tree)!r})
        exec(compile(open("setup.py").read(), "setup.py", "exec"))
        print(found)
        """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(
        command, env={"PATH": "/usr/bin:/bin", "ICEGIL_PURE": "1"}, capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.stdout, done.stderr) == ("[[]]\n", "")
