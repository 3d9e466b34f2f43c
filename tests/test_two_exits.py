"""Two threads end the program at once: the main thread, and a servant by `sys.exit()`."""

import textwrap

from children import python

RUNS = 3


def test_each_handler_is_called_once() -> None:
    program = """
        import atexit, sys, threading
        from icegil import Ice
        from _echo import Echo, communicator, serve

        may_exit, is_called_again = threading.Event(), threading.Event()
        calls = []

        @atexit.register
        def handler():
            print("handler", flush=True)
            calls.append(threading.get_ident())
            if len(calls) > 1:
                is_called_again.set()
            may_exit.set()
            is_called_again.wait(2)  # as long as the other exit may take to come here too

        class Exits(Echo):
            def ice_invoke(self, arguments, current):
                may_exit.wait()
                sys.exit(7)

        ice = communicator()
        serve(ice, Exits()).ice_oneway().ice_invoke("exit", Ice.OperationMode.Normal, b"")
        sys.exit(3)
        """
    for _ in range(RUNS):
        ended = python("-c", textwrap.dedent(program))
        assert not ended.hung, ended.stderr
        assert (ended.stdout, ended.stderr) == ("handler\n", ""), ended
        assert ended.status in (3, 7), ended
