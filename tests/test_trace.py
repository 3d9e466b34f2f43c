"""The timeline: what stands in it after programs that end well, and after those that do not."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from children import python

from icegil.commands.torture.catalogue import SCENARIOS
from icegil.commands.torture.endings import Ending


def icegil_run(*words: str, **environment: str) -> Ending:
    return python("-m", "icegil", "run", *words, **environment)


def events(file: Path) -> list[dict[str, Any]]:
    return json.loads(file.read_text())["traceEvents"]


def names(file: Path, category: str) -> list[str]:
    return [event["name"] for event in events(file) if event.get("cat") == category]


def thread_names(file: Path) -> dict[int, str]:
    return {event["tid"]: event["args"]["name"] for event in events(file) if event["name"] == "thread_name"}


def scenario(name: str) -> str:
    return str(SCENARIOS / f"{name}.py")


def test_the_steps_of_a_shutdown_stand_in_it_in_their_order(tmp_path: Path) -> None:
    file = tmp_path / "timeline.json"
    ended = icegil_run("--trace", str(file), scenario("never_destroyed"))
    assert (ended.stderr, ended.status) == ("", 0)
    shown = [(event["ph"], event["name"]) for event in events(file) if event.get("cat") in ("gate", "python")]
    assert shown == [("i", "shutdown begins"), ("i", "draining"), ("i", "sealed"), ("i", "finalizing")]
    facts = json.loads(file.read_text())["otherData"]
    assert facts["clean"] is True and facts["dropped_events"] == 0
    assert facts["python"] == ".".join(map(str, sys.version_info[:3]))
    lives = [(event["ph"], event["id"]) for event in events(file) if event.get("cat") == "communicator"]
    assert Counter(phase for phase, _ in lives) == {"b": 1, "n": 1, "e": 1}
    assert len({number for _, number in lives}) == 1


def test_every_callback_begins_and_ends_on_its_thread(tmp_path: Path) -> None:
    file = tmp_path / "timeline.json"
    icegil_run("--trace", str(file), scenario("never_destroyed"))
    inside: dict[int, bool] = {}
    number = 0
    for event in events(file):
        if event.get("cat") == "callback":
            assert inside.get(event["tid"], False) == (event["ph"] == "E"), event
            inside[event["tid"]] = event["ph"] == "B"
            number += event["ph"] == "B"
    assert number > 100 and not any(inside.values())
    assert set(inside) <= set(thread_names(file))
    times = [event["ts"] for event in events(file) if "ts" in event]
    assert min(times) >= 0


def test_threads_are_called_what_python_calls_them(tmp_path: Path) -> None:
    file = tmp_path / "timeline.json"
    code = """
import threading
from icegil import Ice
from _echo import communicator, serve

made = []

def make():
    made.append(communicator())

def call():
    serve(made[0]).ice_collocationOptimized(True).ice_ping()

for each in (make, call):
    thread = threading.Thread(target=each, name=each.__name__)
    thread.start()
    thread.join()
serve(made[0]).ice_ping()
made[0].destroy()
"""
    ended = icegil_run("--trace", str(file), "-c", code)
    assert (ended.stderr, ended.status) == ("", 0)
    names = thread_names(file)
    [main] = {event["pid"] for event in events(file)}
    assert names.pop(main) == "MainThread"
    made, *_ = (event["tid"] for event in events(file) if event.get("cat") == "communicator")
    assert names.pop(made) == "make"
    names = {thread: name for thread, name in names.items() if name != "icegil"}  # which destroys
    # A thread of Python's that serves its own call, as `call` does, is not called by Ice: it comes and goes uncounted.
    assert names == {thread: f"Ice-{thread}" for thread in names} and names


def test_it_is_written_when_a_thread_is_stuck_too(tmp_path: Path) -> None:
    file = tmp_path / "timeline.json"
    ended = icegil_run("--drain-timeout", "0.2", "--trace", str(file), scenario("servant_waits_for_ever"))
    assert ended.status == 3  # the program's own
    assert json.loads(file.read_text())["otherData"]["clean"] is False
    phases = Counter((event["tid"], event["ph"]) for event in events(file) if event.get("cat") == "callback")
    stuck = [thread for thread, phase in phases if phases[thread, "B"] > phases[thread, "E"]]
    assert stuck
    assert "sealed" in names(file, "gate")


def test_the_environment_turns_it_on(tmp_path: Path) -> None:
    file = tmp_path / "timeline.json"
    icegil_run("-c", "import Ice", ICEGIL_TRACE=str(file))
    assert "sealed" in names(file, "gate")


def test_a_program_starts_saves_and_stops_it(tmp_path: Path) -> None:
    file = tmp_path / "timeline.json"
    code = f"""
import icegil
from icegil import Ice
from _echo import communicator, serve
ice = communicator()
proxy = serve(ice)
icegil.trace.start()
proxy.ice_invoke("echo", Ice.OperationMode.Normal, b"")
icegil.trace.stop()
icegil.trace.save({str(file)!r})
before = open({str(file)!r}).read()
proxy.ice_invoke("echo", Ice.OperationMode.Normal, b"")
icegil.trace.save({str(file)!r})
assert open({str(file)!r}).read() == before
ice.destroy()
"""
    ended = icegil_run("-c", code)
    assert (ended.stderr, ended.status) == ("", 0)
    assert names(file, "callback")
    assert [event["ph"] for event in events(file) if event.get("cat") == "communicator"] == ["b"]


def test_the_oldest_events_make_room(tmp_path: Path) -> None:
    file = tmp_path / "timeline.json"
    code = """
import icegil
from icegil import Ice
from _echo import communicator, serve, storm
icegil.trace.CAPACITY = 64
icegil.trace.start(icegil_file)
with communicator() as ice:
    storm(serve(ice), 500)[-1].result()
""".replace("icegil_file", repr(str(file)))
    icegil_run("-c", code)
    read = json.loads(file.read_text())
    kept = [event for event in read["traceEvents"] if event["ph"] != "M"]
    assert len(kept) == 64 and read["otherData"]["dropped_events"] > 500


def test_a_forked_child_leaves_the_file_to_its_parent(tmp_path: Path) -> None:
    file = tmp_path / "timeline.json"
    ended = icegil_run("--trace", str(file), scenario("fork_with_traffic"))
    assert ended.status == 0
    assert {event["pid"] for event in events(file)} == {events(file)[0]["pid"]}
    assert names(file, "gate").count("sealed") == 1


def test_a_forked_childs_own_timeline_names_the_childs_thread(tmp_path: Path) -> None:
    # As early as its begin the parent's thread had looked up its number, which the child inherited.
    file = tmp_path / "timeline.json"
    code = f"""
import os
import icegil
from _echo import communicator
icegil.trace.start()
communicator().destroy()
child = os.fork()
if child == 0:
    icegil.trace.start()
    communicator().destroy()
    icegil.trace.save({str(file)!r})
    os._exit(0)
print(child, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    # From 3.12 on Python warns of a fork beside threads, and counts one that was joined until the kernel forgets it.
    ended = python("-W", "ignore::DeprecationWarning", "-m", "icegil", "run", "-c", code)
    child, status = ended.stdout.split()
    assert (status, ended.stderr) == ("0", "")
    assert {event["tid"] for event in events(file) if event.get("cat") == "communicator"} == {int(child)}


def test_a_file_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    ended = icegil_run("--trace", str(tmp_path / "none" / "timeline.json"), "-c", "print('ran')")
    assert ended.status == 2 and ended.stdout == ""
    assert "the timeline cannot be written to" in ended.stderr and "No such file" in ended.stderr
