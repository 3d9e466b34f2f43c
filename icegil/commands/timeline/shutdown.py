"""What a trace says of the shutdown: when it began, and what held it up."""

from icegil.commands.timeline.time_axis import duration
from icegil.commands.timeline.trace import Communicator, State, Trace

# Between the end of the last destruction and the draining of the gate, and between two destructions, in one shutdown.
_PAUSE = 20_000.0


class Shutdown:
    """The shutdown in a trace, as far as there is one."""

    def __init__(self, trace: Trace) -> None:
        self._end = trace.end
        self.thread = next((each.thread for each in trace.gate if each.state is State.DRAINING), None)
        """The native id of the thread that finalizes."""
        self._seals = [each.begin for each in trace.gate if each.state is State.SEALED]
        self.begin = self._begin(trace)
        """None: the trace ends before any shutdown."""
        self.callbacks = {
            callback: thread
            for thread in trace.threads
            for callback in thread.callbacks
            if thread.native_id != self.thread and self._was_open(callback.begin, callback.end)
        }
        """Those that held it up: open when the gate was sealed or the trace ended; not the finalizing thread's."""
        self.communicators = {
            each
            for each in trace.communicators
            if each.destroying is not None and self._was_open(each.destroying, each.destroyed)
        }
        """Those that held it up: their destruction under way when the gate was sealed or the trace ended."""

    @staticmethod
    def _begin(trace: Trace) -> float | None:
        """When the process says so, or the gate drains, or the first of the destructions that led to it."""
        draining = next((each.begin for each in trace.gate if each.state is State.DRAINING), None)
        known = draining if trace.shutdown is None else trace.shutdown
        destructions = sorted(
            (each.destroying, trace.end if each.destroyed is None else each.destroyed)
            for each in trace.communicators
            if each.destroying is not None
        )
        if known is None:
            return next((begin for begin, end in destructions if end == trace.end), None)
        begin = known
        for destroying, destroyed in sorted(destructions, key=lambda each: each[1], reverse=True):
            if destroying < begin and destroyed >= begin - _PAUSE:
                begin = destroying
        return begin

    def _was_open(self, begin: float, end: float | None) -> bool:
        return end is None or any(begin < seal < end for seal in self._seals)

    def reasons(self, trace: Trace) -> list[str]:
        """What held it up, in words."""
        found = [
            f"{thread}, inside a callback for {duration((callback.end or self._end) - callback.begin)}"
            for callback, thread in self.callbacks.items()
        ]
        return found + [
            f"{each.name}, whose destruction {self.fate(each)}"
            for each in trace.communicators
            if each in self.communicators
        ]

    def headline(self, trace: Trace) -> str:
        """What to know at a glance."""
        found = self.reasons(trace)
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        if self.begin is None:
            return f"No shutdown in this trace; at its end: {found[0]}{more}" if found else "No shutdown in this trace"
        if found:
            return f"Shutdown held up by {found[0]}{more}"
        if trace.clean is False:
            return "An unclean shutdown; what held it up is not in the trace"
        return f"A clean shutdown, {duration(trace.end - self.begin)}"

    def fate(self, communicator: Communicator) -> str:
        """How the destruction of one that held the shutdown up went on."""
        begin = communicator.destroying or 0.0
        if communicator.destroyed is None:
            return f"did not end in {duration(self._end - begin)}"
        return f"took {duration(communicator.destroyed - begin)}"
