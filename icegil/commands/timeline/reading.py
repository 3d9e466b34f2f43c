"""Reads a trace from its file: the Chrome trace event format, as icegil's recorder writes it."""

import json
import math
from pathlib import Path

from icegil.commands.timeline.trace import Callback, Communicator, GateState, State, Thread, Trace

_Event = dict[str, object]


class NotATrace(Exception):
    """The file holds something else. The message says what is wrong, and goes on after the file's name."""


def read(path: Path) -> Trace:
    """The trace in a file. Raises OSError and NotATrace."""
    try:
        document: object = json.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        raise NotATrace(f"is not JSON, or not all of it (line {error.lineno}, column {error.colno})") from None
    except (ValueError, RecursionError):  # no Unicode; a number or a nesting beyond all bounds
        raise NotATrace("is not JSON") from None
    other = document.get("otherData") if isinstance(document, dict) else None
    events = document.get("traceEvents") if isinstance(document, dict) else None
    if not isinstance(other, dict) or "icegil" not in other or not isinstance(events, list):
        raise NotATrace("is JSON, but not a trace of icegil's")
    return _Reader().read(events, other)


class _Reader:
    def __init__(self) -> None:
        self.threads: dict[int, Thread] = {}
        self.names: dict[int, str] = {}
        self.seen: dict[int, float] = {}
        """When each thread's last event was."""
        self.communicators: dict[str, Communicator] = {}
        self.gate: list[tuple[State, float, int]] = []
        self.shutdown: float | None = None
        self.finalizing: float | None = None
        self.begin = math.inf

    def read(self, events: list[object], other: _Event) -> Trace:
        timed: list[tuple[float, _Event]] = []
        for number, event in enumerate(events):
            if not isinstance(event, dict):
                raise NotATrace(f"is no trace: its event {number} is not an object")
            try:
                if event.get("ph") == "M":
                    self._metadata(event)
                else:
                    timed.append((_number(event, "ts"), event))
            except _Malformed as error:
                raise NotATrace(f"is no trace: its event {number} has no proper {error}") from None
        if not timed:
            raise NotATrace("is a trace without events")
        timed.sort(key=lambda each: each[0])  # stable: what one thread did in the same moment stays in its order
        self.begin = timed[0][0]
        for moment, event in timed:
            try:
                self._event(event, moment)
            except _Malformed as error:
                raise NotATrace(f"is no trace: its event at {moment:.3f} µs has no proper {error}") from None
        end = max(timed[-1][0], self.begin + 1)
        for native_id, name in self.names.items():
            self._thread(native_id).name = name
        dropped = other.get("dropped_events")
        clean = other.get("clean")
        return Trace(
            begin=self.begin,
            end=end,
            threads=sorted(self.threads.values(), key=lambda each: each.native_id),
            communicators=list(self.communicators.values()),
            gate=self._gate_states(end),
            shutdown=self.shutdown,
            finalizing=self.finalizing,
            facts={name: str(other[name]) for name in ("icegil", "python", "ice") if name in other},
            dropped_events=dropped if isinstance(dropped, int) else 0,
            clean=clean if isinstance(clean, bool) else None,
        )

    def _metadata(self, event: _Event) -> None:
        arguments = event.get("args")
        if event.get("name") == "thread_name" and isinstance(arguments, dict):
            self.names[_whole(event, "tid")] = _text(arguments, "name")

    def _event(self, event: _Event, moment: float) -> None:
        """Takes what icegil's recorder writes; others may have added more to the trace, which is passed over."""
        match event.get("ph"), event.get("cat"):
            case "B", "callback":
                self._enter(_whole(event, "tid"), moment)
            case "E", "callback":
                self._leave(_whole(event, "tid"), moment)
            case "i", "gate":
                self._at_gate(_text(event, "name"), _whole(event, "tid"), moment)
            case "i", "python" if event.get("name") == "shutdown begins":
                self.shutdown = moment
            case "i", "python" if event.get("name") == "finalizing":
                self.finalizing = moment if self.finalizing is None else self.finalizing
            case ("b" | "n" | "e") as phase, "communicator":
                self._communicator(str(phase), event, moment)

    def _enter(self, native_id: int, moment: float) -> None:
        callbacks = self._thread(native_id).callbacks
        if callbacks and callbacks[-1].end is None:  # its end was lost, or another thread has got the same id
            callbacks[-1].end = moment
        callbacks.append(Callback(moment))
        self.seen[native_id] = moment

    def _leave(self, native_id: int, moment: float) -> None:
        callbacks = self._thread(native_id).callbacks
        if callbacks and callbacks[-1].end is None:
            callbacks[-1].end = moment
        else:
            callbacks.append(Callback(self.seen.get(native_id, self.begin), moment, begin_known=False))
        self.seen[native_id] = moment

    def _at_gate(self, name: str, native_id: int, moment: float) -> None:
        if name == "refused":
            self._thread(native_id).refused.append(moment)
        elif name == "parked":
            self._thread(native_id).parked.append(moment)
        elif name in list(State):
            self._thread(native_id)
            self.gate.append((State(name), moment, native_id))

    def _communicator(self, phase: str, event: _Event, moment: float) -> None:
        identity = _text(event, "id")
        found = self.communicators.setdefault(identity, Communicator(f"communicator {identity}"))
        if phase == "n":
            if _text(event, "name") == "destroying":
                found.destroying = moment
            return
        found.name = _text(event, "name")
        if phase == "b":
            found.made = moment
        else:
            found.destroyed = moment

    def _thread(self, native_id: int) -> Thread:
        return self.threads.setdefault(native_id, Thread(native_id))

    def _gate_states(self, end: float) -> list[GateState]:
        changes: list[tuple[State, float, int]] = []
        for state, moment, thread in self.gate:
            if not changes:  # what was before is not told, or was overwritten
                before = State.DRAINING if state is State.SEALED else State.OPEN
                changes.append((before, self.begin, thread))
            if state is not changes[-1][0]:
                changes.append((state, moment, thread))
        ends = [*(moment for _, moment, _ in changes[1:]), end]
        return [
            GateState(state, begin, until, thread) for (state, begin, thread), until in zip(changes, ends, strict=False)
        ]


class _Malformed(Exception):
    """Names the part of an event that is missing or of a wrong type."""


def _number(event: _Event, key: str) -> float:
    value = event.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e18:
        raise _Malformed(key)
    return float(value)


def _whole(event: _Event, key: str) -> int:
    value = event.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Malformed(key)
    return value


def _text(event: _Event, key: str) -> str:
    value = event.get(key)
    if not isinstance(value, str):
        raise _Malformed(key)
    return value
