"""A program does as much at its end with icegil as without it, whatever it registered first; and then it ends well."""

import re
import shutil
import subprocess
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import Ice
import pytest
from children import python

RUNS = 3


def check(program: str, expected: str, *, status: int = 0, stderr: str = "") -> None:
    """Fails unless the program prints this with icegil as without, and with it ends well, with no more on stderr.

    Plain Ice may crash it once it has printed all.
    """
    program = textwrap.dedent(program)
    guarded = program.replace("import Ice\n", "from icegil import Ice\n")
    assert guarded != program
    plain = python("-u", "-c", program)
    assert plain.stdout == expected, plain
    for _ in range(RUNS):
        ended = python("-c", guarded)
        assert not ended.hung, ended.stderr
        assert (ended.status, ended.stdout) == (status, expected), ended.stderr
        assert re.fullmatch(stderr, ended.stderr, re.DOTALL), ended.stderr


# --- Handlers that were registered before icegil was ----------------------------------------------------------------


def test_what_logging_flushes_at_exit_arrives() -> None:
    check(
        """
        import logging, logging.handlers
        import Ice
        from _echo import communicator, serve
        from _log import OverIce

        class Tells(OverIce):
            def emit(self, record):
                super().emit(record)
                print("delivered", self.delivered)

        ice = communicator()
        memory = logging.handlers.MemoryHandler(1000, target=Tells(serve(ice)))
        logging.getLogger().addHandler(memory)
        logging.warning("first")
        logging.warning("last")
        """,
        "delivered 1\ndelivered 2\n",
    )


def test_a_library_says_goodbye_at_exit() -> None:
    check(
        """
        import atexit

        @atexit.register
        def say_goodbye():
            proxy.ice_ping()
            for future in storm(proxy, 20):
                future.result()
            print("goodbye")

        import Ice
        from _echo import communicator, serve, storm

        ice = communicator()
        proxy = serve(ice)
        """,
        "goodbye\n",
    )


def test_a_finalizer_that_was_made_first_calls() -> None:
    check(
        """
        import weakref

        class Session:
            pass

        def close():
            proxy.ice_ping()
            print("closed")

        session = Session()
        weakref.finalize(session, close)
        import Ice
        from _echo import communicator, serve

        ice = communicator()
        proxy = serve(ice)
        """,
        "closed\n",
    )


def test_a_finalizer_of_multiprocessing_calls() -> None:
    check(
        """
        from multiprocessing import util

        def close():
            proxy.ice_ping()
            print("closed")

        util.Finalize(None, close, exitpriority=10)
        import Ice
        from _echo import communicator, serve

        ice = communicator()
        proxy = serve(ice)
        """,
        "closed\n",
    )


def test_a_communicator_made_by_a_handler_is_destroyed_as_well() -> None:
    check(
        """
        import atexit

        @atexit.register
        def say_goodbye():
            global ice, pending
            ice = communicator()
            pending = storm(serve(ice), 100)
            print("goodbye")

        import Ice
        from _echo import communicator, serve, storm
        """,
        "goodbye\n",
    )


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_child_of_multiprocessing_says_goodbye_at_its_exit(method: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    text = f"""
        import warnings
        from multiprocessing import get_context, util
        from icegil import Ice
        from _echo import communicator, serve

        warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 on, whoever forks with threads around

        def work():
            ice = communicator()
            proxy = serve(ice)

            def close():
                proxy.ice_ping()
                print("closed", flush=True)

            util.Finalize(None, close, exitpriority=10)

        if __name__ == "__main__":
            with communicator() as ice:
                serve(ice).ice_ping()
                child = get_context("{method}").Process(target=work)
                child.start()
                child.join()
            print(child.exitcode)
        """
    program.write_text(textwrap.dedent(text))
    for _ in range(RUNS):
        ended = python(str(program))
        assert (ended.status, ended.stdout, ended.stderr) == (0, "closed\n0\n", ""), ended


# --- Locks that a handler waits for, which was registered before icegil was ------------------------------------------

SERVANT_WITH_LOCK = """
    import atexit, threading, weakref

    lock, is_asked, is_entered = threading.Lock(), threading.Event(), threading.Event()

    class Session:
        pass

    def need_the_lock():
        is_asked.set()
        with lock:
            print("got it", flush=True)

    session = Session()
    REGISTER

    import Ice
    from _echo import Echo, communicator, serve

    class Servant(Echo):
        def ice_invoke(self, arguments, current):
            with lock:
                is_entered.set()
                is_asked.wait()
                for _ in range(100):
                    try:
                        proxy.ice_ping()
                    except Ice.LocalException:
                        pass
            return True, arguments

    client, server = communicator(), communicator()
    proxy = client.stringToProxy(str(serve(client)))
    serve(server, Servant()).ice_oneway().ice_invoke("work", Ice.OperationMode.Normal, b"")
    is_entered.wait()
    """


@pytest.mark.parametrize("register", ["atexit.register(need_the_lock)", "weakref.finalize(session, need_the_lock)"])
def test_a_handler_gets_the_lock_of_a_servant_that_calls_with_it(register: str) -> None:
    program = textwrap.dedent(SERVANT_WITH_LOCK).replace("REGISTER", register)
    check(program, "got it\n", stderr="(not everything ended within 5 s of shutdown.*)?")


def test_what_a_queue_of_multiprocessing_has_still_to_send_is_sent() -> None:
    check(
        """
        import multiprocessing.queues

        class Parcel:
            def __reduce__(self):  # called on the queue's own thread, which its handler joins
                try:
                    proxy.ice_ping()
                except Ice.CommunicatorDestroyedException:
                    pass
                return int, (1,)

        import Ice
        from _echo import communicator, serve

        ice = communicator()
        proxy = serve(ice)
        queue = multiprocessing.Queue()
        for _ in range(200):
            queue.put(Parcel())
        print(queue.get())
        """,
        "1\n",
    )


def test_each_communicator_is_warned_of_where_warnings_are_errors() -> None:
    program = """
        import sys
        from icegil import Ice
        from _echo import communicator, serve, storm
        ices = [communicator() for _ in range(3)]
        pending = [storm(serve(ice)) for ice in ices]
        sys.exit(3)
        """
    for _ in range(RUNS):
        ended = python("-W", "error", "-c", textwrap.dedent(program))
        assert ended.status == 3, ended
        assert ended.stderr.count("this communicator was never destroyed by the program") == 3, ended.stderr
        assert "Exception ignored in atexit callback" not in ended.stderr, ended.stderr


def test_an_object_that_outlives_icegils_own_modules_destroys_as_it_does_without() -> None:
    program = """
        import os
        import Ice

        class Late:
            def __init__(self, ice, adapter):
                self.ice, self.adapter = ice, adapter

            def __del__(self, write=os.write):
                self.adapter.destroy()
                self.ice.destroy()
                write(1, b"destroyed\\n")

        ice = Ice.initialize([])
        os.late = Late(ice, ice.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1"))
        del ice
        """
    for _ in range(RUNS):
        ended = python("-m", "icegil", "run", "-c", textwrap.dedent(program))
        assert (ended.status, ended.stdout, ended.stderr) == (0, "destroyed\n", ""), ended


def test_a_communicator_is_destroyed_in_the_last_garbage_collection_where_the_collector_runs_all_the_time() -> None:
    program = """
        import gc
        import Ice

        class Session:
            def __init__(self):
                self.ice = Ice.initialize([])

            def __del__(self):
                self.ice.destroy()

        session = Session()
        gc.set_threshold(1)
        """
    for _ in range(RUNS):
        ended = python("-m", "icegil", "run", "-c", textwrap.dedent(program))
        assert (ended.status, ended.stdout, ended.stderr) == (0, "", ""), ended


def test_nothing_is_raised_in_a_thread_of_ice_that_is_in_no_callback() -> None:
    check(
        """
        import contextlib, ctypes, threading
        import Ice
        from _echo import Echo, communicator, serve

        class Servant(Echo):
            def ice_invoke(self, arguments, current):
                seen.append(threading.get_ident())
                return True, arguments

        seen = []
        ice = communicator()
        proxy = serve(ice, Servant())
        proxy = getattr(proxy, "real", proxy)  # of Ice 3.6
        proxy.ice_invoke("first", Ice.OperationMode.Normal, b"")
        with contextlib.suppress(Ice.ObjectNotExistException):
            proxy.ice_identity(Ice.stringToIdentity("nobody")).ice_ping()  # its one thread is out of the callback
        raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
        print("told", raise_in(ctypes.c_ulong(seen[0]), ctypes.py_object(KeyError)))
        threading.setprofile(lambda *_: None)
        other = threading.Thread(target=print, args=("another thread",))
        other.start()
        other.join()
        ice.destroy()
        """,
        "told 0\nanother thread\n",
    )


def test_what_c_does_as_the_process_ends_is_done_where_a_daemon_thread_had_a_communicator(tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    source, library = tmp_path / "farewell.cpp", tmp_path / "libfarewell.so"
    source.write_text('#include <unistd.h>\nstruct End { ~End() { (void)!write(1, "farewell\\n", 9); } } end;\n')
    subprocess.run(["g++", "-O1", "-fPIC", "-shared", str(source), "-o", str(library)], check=True)
    program = f"""
        import ctypes, sys, threading
        import Ice
        ctypes.CDLL({str(library)!r})
        is_over = threading.Event()

        def passing():
            with Ice.initialize([]):
                pass
            is_over.set()
            threading.Event().wait()

        threading.Thread(target=passing, daemon=True).start()
        is_over.wait()
        sys.exit(3)
        """
    ended = python("-m", "icegil", "run", "-c", textwrap.dedent(program))
    assert (ended.status, ended.stdout, ended.stderr) == (3, "farewell\n", ""), ended


# --- Where no thread is to be had ------------------------------------------------------------------------------------


def test_what_was_printed_arrives_where_a_servant_is_stuck_and_no_thread_is_to_be_had() -> None:
    check(
        """
        import atexit, resource
        import Ice
        from _echo import communicator
        from _stuck import stick

        def use_up_threads():
            with open("/proc/self/statm") as statm:
                size = int(statm.read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (size + 3_000_000, resource.RLIM_INFINITY))  # a stack is 8 MB

        ice = communicator()
        stick(ice)
        atexit.register(use_up_threads)
        print("printed")
        """,
        "printed\n",
        stderr=".*no native thread could be started.*not everything ended within 5 s of shutdown.*",
    )


# --- What Ice 3.6 does to a call that comes as its communicator goes -------------------------------------------------


@pytest.mark.skipif(hasattr(Ice, "Future"), reason="later versions of Ice find None where 3.6 has a null pointer")
def test_calls_may_begin_while_their_communicator_is_destroyed_at_exit() -> None:
    program = """
        import threading
        import Ice
        from _echo import Echo, communicator, serve

        there = serve(communicator(), Echo())
        proxy = communicator().stringToProxy(str(there)).ice_collocationOptimized(False)
        proxy.ice_ping()

        def begin_call():
            answered = threading.Event()
            call = proxy.begin_ice_invoke(
                "echo", Ice.OperationMode.Normal, b"", lambda *answer: answered.set(), lambda error: answered.set()
            )
            return call, answered

        def begin_calls():
            try:
                while True:
                    for call, answered in [begin_call() for _ in range(10)]:
                        answered.wait()
            except Ice.Exception:
                pass

        threading.Thread(target=begin_calls, daemon=True).start()
        """
    with ThreadPoolExecutor(3) as pool:  # at once: who gets the GIL back first is decided by how busy the machine is
        for ended in pool.map(lambda _: python("-m", "icegil", "run", "-c", textwrap.dedent(program)), range(60)):
            assert (ended.status, ended.stderr) == (0, ""), ended
