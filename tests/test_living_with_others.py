"""The guard beside other tools, and put in place and taken away in the middle of everything."""

import importlib.util
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import Ice
import pytest
from children import python

from icegil.commands.torture.catalogue import SCENARIOS, read

RUNS = 3
NAMES = ("never_destroyed.py", "async_with_then_exit.py", "daemon_threads_return.py")
PROGRAMS = [SCENARIOS / name for name in NAMES if not read(SCENARIOS / name).missing(Ice)]


def by_name(path: Path) -> str:
    return path.stem


# What memray says of an interpreter that exports functions of the C library; what asyncio, in development mode, says of
# a step that took over 0.1 s, as any does now and then on a busy processor.
NOT_OURS = re.compile(
    r"^(Memray WARNING: Correcting symbol .*|Executing <.*> took \d+\.\d+ seconds)\n", flags=re.MULTILINE
)


def check_silent(*arguments: object, **environment: str) -> str:
    """Runs Python with these arguments; what it printed. It must end with status 0 and leave stderr empty."""
    ending = python(*map(str, arguments), **environment)
    assert (ending.status, NOT_OURS.sub("", ending.stderr)) == (0, ""), ending
    return ending.stdout


def check_program(program: str, *options: str) -> str:
    """As `check_silent`, for the text of a program; what the scenarios share can be imported."""
    return check_silent(*options, "-c", textwrap.dedent(program))


@pytest.mark.skipif(importlib.util.find_spec("memray") is None, reason="memray is not installed")
@pytest.mark.parametrize("program", PROGRAMS, ids=by_name)
def test_a_memory_profiler_on_the_same_slots_changes_nothing(program: Path, tmp_path: Path) -> None:
    for number in range(RUNS):
        capture = tmp_path / f"{number}.bin"
        check_silent("-m", "memray", "run", "-q", "-o", capture, "-m", "icegil", "run", program)
        assert capture.stat().st_size > 0


@pytest.mark.parametrize("program", PROGRAMS, ids=by_name)
def test_development_mode_finds_nothing_but_what_the_program_left_undone(program: Path) -> None:
    for _ in range(RUNS):
        check_silent("-X", "dev", "-W", "ignore::ResourceWarning", "-m", "icegil", "run", program)


@pytest.mark.parametrize("allocator", ["malloc_debug", "pymalloc_debug"])
def test_no_freed_memory_is_touched_on_the_way_out(allocator: str) -> None:
    for program in PROGRAMS:
        check_silent("-m", "icegil", "run", program, PYTHONMALLOC=allocator)


@pytest.mark.skipif(Ice.intVersion() < 30800, reason="IcePy 3.7 looks the classes of a call up once")
def test_icepy_finds_its_modules_without_pythons_import() -> None:
    asked = check_program(
        """
        import builtins
        from icegil import Ice, uninstall
        from _echo import communicator, serve, storm

        asked = []
        def note(name, *rest):
            asked.append(name)
            return real(name, *rest)
        def look_ups(proxy):
            asked.clear()
            builtins.__import__ = note
            for future in storm(proxy, 20):
                future.result()
            builtins.__import__ = real
            return sum(name.partition(".")[0] == "Ice" for name in asked)

        real = builtins.__import__
        with communicator() as ice:
            proxy = serve(ice)
            look_ups(proxy)
            with_icegil = look_ups(proxy)
            uninstall()
            print(with_icegil, look_ups(proxy) > 20)
        """
    )
    assert asked == "0 True\n"


def test_icepy_sees_a_module_that_took_the_place_of_another() -> None:
    kinds = check_program(
        """
        import sys, types
        from icegil import Ice
        from _echo import communicator, serve

        class Future(Ice.InvocationFuture):
            pass

        with communicator() as ice:
            proxy = serve(ice)
            print(type(proxy.ice_pingAsync()) is Ice.InvocationFuture)
            sys.modules["Ice"] = types.ModuleType("Ice")
            vars(sys.modules["Ice"]).update(vars(Ice), InvocationFuture=Future)
            print(type(proxy.ice_pingAsync()) is Future)
            sys.modules["Ice"] = Ice
            print(type(proxy.ice_pingAsync()) is Ice.InvocationFuture)
        """
    )
    assert kinds == "True\n" * 3


def test_what_a_program_leaves_to_the_garbage_collector_has_its_end() -> None:
    program = textwrap.dedent(
        """
        import os, sys
        import Ice
        from _echo import communicator

        class Servant(Ice.Object):
            pass
        class Leftover:
            def __init__(self, name, **more):
                self.name, self.cycle, self.more = name, self, more
            def __del__(self, write=os.write):
                write(1, self.name)

        left = [Leftover(b"of the module\\n")]
        Servant.left = Leftover(b"of a class below one of Ice's\\n", servant=Servant())
        Leftover(b"of nothing\\n", error=Ice.CommunicatorDestroyedException(), kind=Ice.Communicator)
        ice = communicator()
        Servant.proxy = ice.stringToProxy("left: tcp -h 127.0.0.1 -p 1")
        ice.destroy()
        """
    )
    plain = check_program(program)
    assert sorted(plain.splitlines()) == ["of a class below one of Ice's", "of nothing", "of the module"]
    assert sorted(check_silent("-m", "icegil", "run", "-c", program).splitlines()) == sorted(plain.splitlines())


@pytest.mark.skipif(Ice.intVersion() < 30800, reason="a call from there would end the process with IcePy 3.7: it stays")
def test_what_a_program_puts_into_builtins_has_its_end() -> None:
    program = textwrap.dedent(
        """
        import builtins, os
        from _echo import communicator

        class Leftover:
            def __init__(self, proxy):
                self.proxy = proxy
            def __del__(self, write=os.write, error=Exception):
                try:
                    self.proxy.ice_ping()
                except error:
                    write(1, b"its last call failed\\n")

        ice = communicator()
        builtins.left = Leftover(ice.stringToProxy("left: tcp -h 127.0.0.1 -p 1"))
        """
    )
    assert check_silent("-m", "icegil", "run", "-c", program) == "its last call failed\n"


def test_the_collector_sees_no_more_of_ice_once_the_gate_is_sealed() -> None:
    tracked = check_program(
        """
        import gc
        import Ice

        def look():
            kept = Ice.Communicator, Ice.Communicator.waitForShutdown, Ice.Communicator.__mro__, Ice.LocalException
            print(icegil.status().gate.state, *map(gc.is_tracked, (*kept, look)))

        import icegil
        from icegil import shutdown
        icegil.install()
        shutdown.afterwards(look)
        look()
        """
    )
    assert tracked == f"open{' True' * 5}\nsealed{' False' * 4} True\n"


def test_the_slots_are_taken_back_from_another_tool_when_the_shutdown_begins() -> None:
    out = check_program(
        """
        import atexit
        import icegil
        from icegil import Ice, _bridge, redirects
        from _echo import communicator, serve, storm

        @atexit.register
        def look():
            print(len(icegil.status().redirected), icegil.status().gate.inside)

        atexit.unregister(look)
        ice = communicator()
        proxy = serve(ice)
        all_of_them = icegil.status().redirected
        for _, redirect in redirects.known():  # what another tool does: its own address, or the original, in every slot
            redirect.take_away()
        assert icegil.status().redirected == ()
        for future in storm(proxy):
            future.result()
        assert icegil.status().gate.inside == 0, icegil.status()
        redirects.put()
        assert icegil.status().redirected == all_of_them
        for future in storm(proxy):
            future.result()
        """
    )
    assert out == ""


def test_only_half_of_a_pair_in_place_leaves_the_count_right() -> None:
    check_program(
        """
        import icegil
        from icegil import Ice, redirects
        from _echo import communicator, serve, storm

        ice = communicator()
        proxy = serve(ice)
        ensure = next(redirect for _, redirect in redirects.known() if redirect.name == "PyGILState_Ensure")
        for _ in range(20):
            pending = storm(proxy, 200)
            ensure.take_away()
            for future in pending + storm(proxy, 200):
                future.result()
            ensure.put()
        ice.destroy()
        assert icegil.status().gate.inside == 0, icegil.status()
        """
    )


def test_installing_and_uninstalling_under_fire_loses_nobody() -> None:
    check_program(
        """
        import sys, threading
        import icegil, Ice
        from _echo import communicator, serve, storm

        sys.setswitchinterval(1e-6)  # in the middle of whatever IcePy does
        ice = communicator({"Ice.ThreadPool.Server.Size": 4, "Ice.ThreadPool.Client.Size": 2})
        proxy = serve(ice)
        is_over = threading.Event()

        def fire():
            while not is_over.is_set():
                for future in storm(proxy, 50):
                    future.result()

        threads = [threading.Thread(target=fire) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(200):
            icegil.install()
            assert icegil.status().mode == "guard", icegil.status()
            icegil.uninstall()
            assert "PyGILState_Ensure" not in icegil.status().redirected, icegil.status()
        icegil.install()
        is_over.set()
        for thread in threads:
            thread.join()
        ice.destroy()
        assert icegil.status().gate.inside == 0, icegil.status()
        """
    )


def test_taking_the_lock_redirects_away_while_threads_wait_strands_nobody() -> None:
    check_program(
        """
        import threading
        import icegil
        from icegil import Ice
        from _echo import communicator, serve, storm
        from _logger import TRACING, Logger

        ice = communicator(TRACING, logger=Logger())
        proxy = serve(ice)

        def fire():
            for _ in range(20):
                for future in storm(proxy, 20):
                    future.result()

        threads = [threading.Thread(target=fire) for _ in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            icegil.install()
            for thread in threads:
                thread.join(0.01)
        for thread in threads:
            thread.join()
        """
    )


def test_uvloop_under_icegil_run_ends_in_silence() -> None:
    pytest.importorskip("uvloop", reason="uvloop is not installed")
    for _ in range(RUNS):
        check_program(
            """
            import asyncio, uvloop
            from icegil import Ice
            from _echo import communicator, serve, storm

            async def main():
                ice = communicator()
                wrap_future = getattr(Ice, "wrap_future", asyncio.wrap_future)  # what Ice 3.6 has not
                await wrap_future(serve(ice).ice_pingAsync())
                await ice.destroyAsync() if not hasattr(Ice, "asyncio") else None

            uvloop.run(main())
            """
        )


def test_page_permissions_are_what_they_were() -> None:
    check_program(
        """
        import Ice, IcePy

        def permissions():
            with open("/proc/self/maps") as maps:
                return [line.split()[:2] for line in maps if "IcePy" in line or "libpython" in line or "libIce" in line]

        before = permissions()
        import icegil
        assert permissions() == before
        icegil.install(mode="guard")
        assert permissions() == before
        icegil.uninstall()
        assert permissions() == before
        """
    )


def test_a_forced_teardown_mode_redirects_nothing() -> None:
    out = check_silent(
        "-c",
        "import icegil; icegil.install(); s = icegil.status(); print(s.mode, s.redirected, s.reason)",
        ICEGIL_MODE="teardown",
    )
    assert out == "teardown () the mode 'teardown' was asked for\n"


def test_py_spy_shows_the_threads_of_ice_by_name() -> None:
    if importlib.util.find_spec("py_spy") is None and not (Path(sys.executable).parent / "py-spy").exists():
        pytest.skip("py-spy is not installed")
    program = """
        import subprocess, sys, os, threading
        from pathlib import Path
        from icegil import Ice
        from _echo import Echo, communicator, serve

        shown = []

        class Servant(Echo):
            def ice_invoke(self, arguments, current):
                spy = Path(sys.executable).parent / "py-spy"
                done = subprocess.run([spy, "dump", "--pid", str(os.getpid())], capture_output=True, text=True)
                shown.append(done.stdout or done.stderr)
                shown.append(threading.current_thread().name)
                return True, arguments

        with communicator() as ice:
            serve(ice, Servant()).ice_invoke("look", Ice.OperationMode.Normal, b"")
        print(*shown, sep="\\n---")
        """
    out = check_program(program)
    if "Permission" in out or "Failed" in out:
        pytest.skip(f"py-spy may not look at processes here: {out.splitlines()[0]}")
    dump, name = out.rstrip("\n").split("\n---")
    assert name.startswith("Ice-")
    assert "ice_invoke" in dump and name in dump, out


def test_another_cython_extension_can_use_the_gate(tmp_path: Path) -> None:
    pytest.importorskip("Cython")
    import icegil

    (tmp_path / "visitor.pyx").write_text(
        textwrap.dedent(
            """
            # distutils: language=c++
            from icegil._bridge cimport process_gate, this_visitor
            def visit():
                with nogil:
                    admitted = process_gate().try_enter(this_visitor()[0])
                inside = process_gate().counters().inside
                if admitted:
                    process_gate().leave(this_visitor()[0])
                return admitted, inside
            """
        )
    )
    (tmp_path / "setup.py").write_text(
        textwrap.dedent(
            f"""
            from setuptools import Extension, setup
            from Cython.Build import cythonize
            extension = Extension("visitor", ["visitor.pyx"], include_dirs=[{icegil.get_include()!r}],
                                  extra_compile_args=["-std=c++17"])
            setup(name="visitor", ext_modules=cythonize([extension], include_path={sys.path!r}))
            """
        )
    )
    built = subprocess.run(
        [sys.executable, "setup.py", "build_ext", "--inplace"], cwd=tmp_path, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stdout + built.stderr
    out = check_silent(
        "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import visitor; print(visitor.visit())"
    )
    assert out == "(True, 1)\n"
