"""One thread state per Ice thread: what must not last from one callback to the next, and what people see."""

import textwrap

import Ice
import pytest
from test_living_with_others import check_program

PRELUDE = """
import contextvars, sys, threading
import icegil
from icegil import Ice
from _echo import Echo, communicator, serve, storm

variable = contextvars.ContextVar("variable", default="clean")
seen = []

def use():
    seen.append(variable.get())
    variable.set("used")
"""


def check(program: str) -> str:
    return check_program(PRELUDE + textwrap.dedent(program))


def test_a_servant_never_sees_the_context_of_the_request_before() -> None:
    check(
        """
        class Servant(Echo):
            def ice_invoke(self, arguments, current):
                use()
                return True, arguments

        with communicator() as ice:
            for future in storm(serve(ice, Servant()), 300):
                future.result()
        assert seen == ["clean"] * 300, set(seen)
        """
    )


def test_a_completion_never_sees_the_context_of_the_one_before() -> None:
    check(
        """
        with communicator() as ice:
            proxy = serve(ice)
            done = threading.Semaphore(0)
            for _ in range(300):
                future = proxy.ice_invokeAsync("echo", Ice.OperationMode.Normal, b"")
                future.add_done_callback(lambda f: (use(), done.release()))
                done.acquire()
        assert len(seen) == 300
        # What completes before the callback is added runs it on this thread, in the main thread's own context.
        assert seen.count("used") < 300
        """
    )


@pytest.mark.skipif(Ice.intVersion() < 30700, reason="Ice 3.6 asks no executor of Python's")
def test_an_executor_never_sees_the_context_of_the_call_before() -> None:
    check(
        """
        def execute(call, connection):
            if threading.current_thread() is not threading.main_thread():
                use()
            call()

        with communicator(executor=execute, dispatcher=execute) as ice:  # the older name is Ice 3.7's
            for future in storm(serve(ice), 300):
                future.result()
        assert len(seen) >= 300 and set(seen) == {"clean"}, (len(seen), set(seen))
        """
    )


def test_a_dispatch_keeps_its_context_through_a_call_of_its_own() -> None:
    check(
        """
        class Servant(Echo):
            def ice_invoke(self, arguments, current):
                use()
                inner.ice_invoke("inner", Ice.OperationMode.Normal, b"")
                seen.append(variable.get())
                return True, arguments

        with communicator({"Ice.ThreadPool.Server.Size": 2}) as ice:
            inner = serve(ice)
            serve(ice, Servant()).ice_invoke("outer", Ice.OperationMode.Normal, b"")
        assert seen == ["clean", "used"], seen
        """
    )


def test_a_servant_may_run_an_event_loop_and_start_threads() -> None:
    check(
        """
        import asyncio

        class Servant(Echo):
            def ice_invoke(self, arguments, current):
                thread = threading.Thread(target=use)
                thread.start()
                thread.join()
                asyncio.run(asyncio.sleep(0))
                return True, arguments

        with communicator() as ice:
            for future in storm(serve(ice, Servant()), 50):
                future.result()
        assert len(seen) == 50
        """
    )


def test_each_ice_thread_has_one_name_and_one_frame_stack() -> None:
    check(
        """
        class Servant(Echo):
            def ice_invoke(self, arguments, current):
                thread = threading.current_thread()
                assert thread.name == f"Ice-{threading.get_native_id()}", thread
                seen.append((thread.ident, thread.name))
                assert sys._current_frames()[threading.get_ident()].f_code.co_name == "ice_invoke"
                return True, arguments

        with communicator({"Ice.ThreadPool.Server.Size": 2}) as ice:
            for future in storm(serve(ice, Servant()), 300):
                future.result()
        assert 1 <= len(set(seen)) <= 2, set(seen)
        assert threading.enumerate() == [threading.main_thread()], threading.enumerate()
        """
    )


def test_trace_and_profile_functions_set_for_threads_leave_callbacks_working() -> None:
    check(
        """
        calls = []
        threading.setprofile(lambda frame, event, argument: calls.append(event))
        threading.settrace(lambda frame, event, argument: None)

        class Servant(Echo):
            def ice_invoke(self, arguments, current):
                sys.setprofile(lambda frame, event, argument: None)
                sys.setprofile(None)
                return True, arguments

        with communicator() as ice:
            for future in storm(serve(ice, Servant()), 100):
                future.result()
        """
    )


@pytest.mark.parametrize("rounds", [200])
def test_thread_states_go_with_their_threads(rounds: int) -> None:
    out = check(
        f"""
        import gc

        def states():
            return len(sys._current_frames())

        for _ in range({rounds}):
            with communicator() as ice:
                serve(ice).ice_ping()
        assert threading.active_count() == 1, threading.enumerate()
        gate = icegil.status().gate
        assert gate.inside == 0, gate
        print(states())
        """
    )
    assert out == "1\n"
