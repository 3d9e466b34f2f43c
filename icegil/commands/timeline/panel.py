"""A part of a trace, drawn: the gate behind, the threads and communicators in lanes, the time below."""

from typing import NamedTuple
from xml.etree.ElementTree import Element

from icegil.commands.timeline.elements import LETTER, counted, horizontal, rectangle, text, vertical
from icegil.commands.timeline.lanes import Lane
from icegil.commands.timeline.shutdown import Shutdown
from icegil.commands.timeline.time_axis import Scale, Window, duration, moment
from icegil.commands.timeline.trace import Communicator, GateState, Thread, Trace

FLAG = 16  # height of a row of them
MOST_LANES = 32  # of threads, and of communicators
TICKS_APART = 90


class _Flag(NamedTuple):
    """A line through all lanes, and words beside it at the top."""

    x: float
    words: str
    look: str
    left: float
    right: float
    """Of the words."""
    is_left: bool
    """Whether the words are to the left of the line."""
    level: int = 0
    """The row that the words are in."""


class Panel:
    """Draws itself into an SVG document, from `top` on; `bottom` is where it ended."""

    def __init__(self, svg: Element, trace: Trace, shutdown: Shutdown, scale: Scale, *, top: float, row: float) -> None:
        self.scale = scale
        self._svg, self._trace, self._shutdown, self._row = svg, trace, shutdown, row
        flags = self._flags()
        self.top = top
        lanes_top = top + FLAG * (1 + max((flag.level for flag in flags), default=-1)) + 6
        threads, communicators = self._threads(), self._communicators()
        lanes = len(threads) + len(communicators) + (0.4 if threads and communicators else 0)
        self.lanes_bottom = lanes_top + max(lanes, 1) * row + 4
        self._bands()
        self._axis()
        self._draw(flags)
        y = lanes_top
        for thread in threads:
            self._lane(y).draw_thread(thread)
            y += row
        y += 0.4 * row if threads else 0
        for communicator in communicators:
            self._lane(y).draw_communicator(communicator)
            y += row
        self.bottom = self.lanes_bottom + 20 + self._left_out(len(threads), len(communicators))

    # --- the gate ---------------------------------------------------------------------------------------------------

    def _flags(self) -> list[_Flag]:
        scale = self.scale
        happens = [
            (each.begin, f"gate {each.state}{_lasting(each, self._trace.end)}", "flag")
            for each in self._trace.gate
            if scale.shows(each.begin, each.end)
        ]
        steps = ((self._trace.shutdown, "the shutdown begins"), (self._trace.finalizing, "Python finalizes"))
        happens += [(time, words, "final") for time, words in steps if time is not None and scale.shows(time)]
        flags: list[_Flag] = []
        for time, words, look in sorted(happens):
            x, width = scale.x(time), len(words) * LETTER + 14
            is_left = x + width > scale.right and x - width > scale.left
            flag = _Flag(x, words, look, x - width if is_left else x, x if is_left else x + width, is_left)
            while any(flag.left < each.right and each.left < flag.right for each in flags if each.level == flag.level):
                flag = flag._replace(level=flag.level + 1)
            flags.append(flag)
        return flags

    def _bands(self) -> None:
        for each in self._trace.gate:
            if self.scale.shows(each.begin, each.end):
                left, right = self.scale.x(each.begin), self.scale.x(each.end)
                place = (left, self.top, right - left, self.lanes_bottom - self.top)
                rectangle(self._svg, place, str(each.state))

    def _draw(self, flags: list[_Flag]) -> None:
        for flag in flags:
            top = self.top + FLAG * flag.level
            vertical(self._svg, flag.x, top + 2, self.lanes_bottom, flag.look)
            look = "bold" if flag.look == "final" else ""
            if flag.is_left:
                text(self._svg, flag.x - 5, top + 13, flag.words, look, anchor="end")
            else:
                text(self._svg, flag.x + 5, top + 13, flag.words, look)

    def _axis(self) -> None:
        for time, label in self.scale.ticks(TICKS_APART):
            x = self.scale.x(time)
            vertical(self._svg, x, self.top, self.lanes_bottom + 4, "grid")
            text(self._svg, x, self.lanes_bottom + 16, label, "small", anchor="middle")
        horizontal(self._svg, self.lanes_bottom, self.scale.left, self.scale.right, "axis")

    # --- the lanes --------------------------------------------------------------------------------------------------

    def _threads(self) -> list[Thread]:
        def rank(thread: Thread) -> tuple[bool, bool, int]:
            is_told_of = thread in held_up or thread.native_id == self._shutdown.thread
            return is_told_of, bool(thread.parked or thread.refused), len(thread.callbacks)

        held_up = list(self._shutdown.callbacks.values())
        shown = [each for each in self._trace.threads if self._is_whole or self._is_busy(each)]
        chosen = sorted(shown, key=rank, reverse=True)[:MOST_LANES]
        return [each for each in shown if each in chosen]

    def _is_busy(self, thread: Thread) -> bool:
        shows, end = self.scale.shows, self._trace.end
        return (
            thread.native_id == self._shutdown.thread
            or any(shows(each, end) for each in thread.parked)
            or any(shows(each) for each in thread.refused)
            or any(shows(each.begin, end if each.end is None else each.end) for each in thread.callbacks)
        )

    def _communicators(self) -> list[Communicator]:
        begin, end = self._trace.begin, self._trace.end
        shown = [
            each
            for each in self._trace.communicators
            if self.scale.shows(
                begin if each.made is None else each.made, end if each.destroyed is None else each.destroyed
            )
        ]
        chosen = sorted(shown, key=lambda each: each in self._shutdown.communicators, reverse=True)[:MOST_LANES]
        return [each for each in shown if each in chosen]

    def _lane(self, top: float) -> Lane:
        return Lane(self._svg, self._trace, self._shutdown, self.scale, top, self._row)

    @property
    def _is_whole(self) -> bool:
        return self.scale.window == Window(self._trace.begin, self._trace.end)

    def _left_out(self, threads: int, communicators: int) -> float:
        """Says how many lanes are not drawn; the height that this takes."""
        found = {
            "thread": len(self._trace.threads) - threads,
            "communicator": len(self._trace.communicators) - communicators,
        }
        words = " and ".join(counted(count, name) for name, count in found.items() if count)
        if not words:
            return 0
        why = (
            "of less interest"
            if self._is_whole
            else f"with nothing of interest from {moment(self.scale.window.begin)} on"
        )
        text(self._svg, self.scale.left, self.lanes_bottom + 32, f"Not drawn: {words} {why}.", "small")
        return 14


def _lasting(state: GateState, trace_end: float) -> str:
    return f", {duration(state.end - state.begin)}" if state.end < trace_end else ""
