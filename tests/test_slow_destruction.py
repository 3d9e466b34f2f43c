"""A destruction that takes long is said so in the log: once, however it was asked for, with what it waits for."""

import re

import pytest
from children import python

PROGRAM = """\
import asyncio, atexit, logging, threading
import icegil
from icegil import Ice
from _echo import Echo, communicator, serve

entered, said = threading.Event(), threading.Event()

class Stuck(Echo):
    def ice_invoke(self, arguments, current):
        entered.set()
        said.wait()
        return True, arguments

class Listener(logging.Handler):
    def emit(self, record):
        print(record.levelname, record.getMessage(), flush=True)
        said.set()

logging.getLogger("icegil").addHandler(Listener())

def stuck():
    ice = communicator()
    serve(ice, Stuck()).ice_invokeAsync("echo", Ice.OperationMode.Normal, b"")
    entered.wait()
    return ice

async def awaited(destroy):
    await destroy(stuck())

"""
WAYS = {
    "destroy": "stuck().destroy()",
    "with": "with stuck(): pass",
    "destroy at exit, when Python starts no threads": "atexit.register(stuck().destroy)",
    "destroy by two threads": """
ice = stuck()
threads = [threading.Thread(target=ice.destroy) for _ in range(2)]
for each in threads: each.start()
for each in threads: each.join()
""",
    "destroyAsync": "stuck().destroyAsync().result()",
    "icegil.destroy": "icegil.destroy(stuck())",
    "icegil.destroy_async": "asyncio.run(awaited(icegil.destroy_async))",
    "the exit": "ice = stuck()",
}


@pytest.mark.parametrize("way", WAYS)
def test_it_is_said_once_with_the_servant_that_it_waits_for(way: str) -> None:
    ended = python("-c", PROGRAM + WAYS[way])
    assert (ended.stderr, ended.status) == ("", 0)
    line = r"WARNING the communicator made at \S+_echo\.py:\d+ is not destroyed after 1 s: thread \d+ is in ice_invoke"
    assert re.fullmatch(line + r" \(<string>:11\)\n", ended.stdout)


def test_who_watches_holds_nobody_up_and_is_not_inside() -> None:
    code = """
icegil.lifecycle.SLOW = 1000
for _ in range(200):
    communicator().destroy()
    assert icegil.status().gate.inside == 0
print("well")
"""
    ended = python("-c", PROGRAM + code)
    assert (ended.stdout, ended.stderr, ended.status) == ("well\n", "", 0)
