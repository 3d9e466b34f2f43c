"""The lane of a thread and the lane of a communicator."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from icegil.commands.timeline.bars import Bar, Density, bars
from icegil.commands.timeline.elements import (
    LETTER,
    group,
    horizontal,
    note,
    number,
    path,
    rectangle,
    shortened,
    text,
    vertical,
)
from icegil.commands.timeline.shutdown import Shutdown
from icegil.commands.timeline.time_axis import Scale, duration, moment
from icegil.commands.timeline.trace import Communicator, Thread, Trace

MARGIN = 20
LABELLED = 24  # lowest lane that has room for words on its bars
MOST_LETTERS = 36  # of a thread's name on a bar
BOLD = 1.15  # how much wider a letter is
MARK = 8  # pixels between two that are not one


@dataclass(frozen=True)
class Lane:
    """A place in an SVG document for what one thread or communicator did."""

    svg: Element
    trace: Trace
    shutdown: Shutdown
    scale: Scale
    top: float
    row: float
    """Its height."""

    def draw_thread(self, thread: Thread) -> None:
        """Its callbacks, where it was refused and parked; and, if it is the one that finalizes, how long it waited."""
        is_warning = thread in self.shutdown.callbacks.values()
        label = shortened(str(thread), MOST_LETTERS)
        lane = self._begin(str(thread), thread.name or "thread", str(thread.native_id), is_warning=is_warning)
        if thread.native_id == self.shutdown.thread and self.shutdown.begin is not None:
            self._draw_waiting(lane, self.shutdown.begin)
        for bar in bars(thread.callbacks, self.scale, self.shutdown.callbacks):
            if isinstance(bar, Density):
                self._draw_density(lane, bar)
            elif bar.callback in self.shutdown.callbacks:
                length = duration(self._until(bar.callback.end) - bar.callback.begin)
                told = f"inside for {length}"
                more = ", still inside at the end" if bar.callback.end is None else ""
                held = (bar.callback.begin, bar.callback.end)
                self._draw_held(lane, held, told + more, [f"{label} {told}{more}", f"{label} {told}", told])
            else:
                self._draw_callback(lane, bar)
        for times in self._together(thread.parked):
            x = self.scale.x(times[0])
            horizontal(lane, self._middle, x, self.scale.right, "asleep")
            pause = f"M{number(x - 2)} {number(self._middle - 5)}v10m5-10v10"
            note(path(lane, pause, "mark"), _told("parked", times))
        for times in self._together(thread.refused):
            cross = f"M{number(self.scale.x(times[0]) - 4)} {number(self._middle - 4)}l8 8m0-8l-8 8"
            note(path(lane, cross, "mark"), _told("refused", times))

    def draw_communicator(self, communicator: Communicator) -> None:
        """From when it was made to its destruction, and to the end of that."""
        is_held = communicator in self.shutdown.communicators
        lane = self._begin(communicator.name, communicator.name, "", is_warning=is_held)
        destroyed = self._until(communicator.destroyed)
        destroying = destroyed if communicator.destroying is None else communicator.destroying
        self._draw_life(lane, communicator, destroying)
        if is_held:
            told = f"destruction {self.shutdown.fate(communicator)}"
            self._draw_held(lane, (destroying, communicator.destroyed), told, [told])
        elif communicator.destroying is not None and self.scale.shows(destroying, destroyed):
            bar = self._bar(lane, destroying, destroyed, self._height, "destroying")
            note(bar, f"destroyed from {moment(destroying)} on, in {duration(destroyed - destroying)}")
        if communicator.destroyed is not None and self.scale.shows(destroyed):
            half = self._height / 2
            vertical(lane, self.scale.x(destroyed), self._middle - half, self._middle + half, "cap")

    @property
    def _middle(self) -> float:
        return self.top + self.row / 2

    @property
    def _height(self) -> float:
        """Of most bars."""
        return self.row * 0.64

    def _until(self, end: float | None) -> float:
        return self.trace.end if end is None else end

    def _begin(self, whose: str, name: str, remark: str, *, is_warning: bool) -> Element:
        lane = group(self.svg, whose)
        room = self.scale.left - MARGIN - 12 - len(remark) * LETTER
        letters = int(room / (LETTER * (BOLD if is_warning else 1.08)))
        head = text(lane, MARGIN, self._middle + 4, shortened(name, letters), "warn" if is_warning else "")
        if len(name) > letters:
            note(head, name)
        if remark:
            text(lane, self.scale.left - 8, self._middle + 4, remark, "small", anchor="end")
        horizontal(lane, self._middle, self.scale.left, self.scale.right, "grid")
        return lane

    def _bar(self, lane: Element, begin: float, end: float, height: float, look: str) -> Element:
        left, right = self.scale.x(begin), self.scale.x(end)
        return rectangle(lane, (left, self._middle - height / 2, max(right - left, 1), height), look)

    # --- a thread's -------------------------------------------------------------------------------------------------

    def _draw_callback(self, lane: Element, bar: Bar) -> None:
        callback = bar.callback
        end = self._until(callback.end)
        length = duration(end - callback.begin)
        if callback.begin_known:
            drawn = self._bar(lane, callback.begin, end, self._height, "cb")
            note(drawn, f"callback from {moment(callback.begin)} on, {length}")
        else:
            drawn = self._bar(lane, callback.begin, end, self._height, "cut")
            note(drawn, f"callback up to {moment(end)}; its beginning, {length} before or less, was overwritten")

    def _draw_density(self, lane: Element, density: Density) -> None:
        top, bottom = self._middle - self._height / 2, self._middle + self._height / 2
        right = max(density.right, density.left + 1)
        note(
            rectangle(lane, (density.left, top, right - density.left, self._height), "many"),
            f"{density.count} callbacks from {moment(density.begin)} on, within "
            f"{duration(density.end - density.begin)}; inside for {duration(density.inside)} altogether",
        )
        commands = f"M{number(density.left)} {number(bottom)}"
        level = bottom
        for pixel, share in enumerate(density.shares):
            y = round(bottom - max(share * self._height, 2 if share else 0))
            if y != level:
                commands += f"H{number(density.left + pixel)}V{number(y)}"
                level = y
        path(lane, f"{commands}H{number(right)}V{number(bottom)}z", "cb")

    def _draw_waiting(self, lane: Element, begin: float) -> None:
        """The thread that shuts down."""
        until = self._until(self.trace.finalizing)
        if not self.scale.shows(begin, until):
            return
        drawn = self._bar(lane, begin, until, self.row * 0.72, "waits")
        note(drawn, f"shuts down from {moment(begin)} on, for {duration(until - begin)}")
        words = "shuts down, waits"
        if self.row >= LABELLED and self.scale.x(until) - self.scale.x(begin) > len(words) * LETTER + 16:
            text(lane, self.scale.x(begin) + 8, self._middle + 4, words)

    def _together(self, times: list[float]) -> Iterator[list[float]]:
        """The times of each mark to be drawn."""
        close: list[float] = []
        for time in times:
            if not self.scale.shows(time):
                continue
            if close and self.scale.x(time) - self.scale.x(close[0]) >= MARK:
                yield close
                close = []
            close.append(time)
        if close:
            yield close

    # --- a communicator's -------------------------------------------------------------------------------------------

    def _draw_life(self, lane: Element, communicator: Communicator, end: float) -> None:
        made = self.trace.begin if communicator.made is None else communicator.made
        if not self.scale.shows(made, end):
            return
        begin = "made before the trace begins" if communicator.made is None else f"made at {moment(made)}"
        never = ", never destroyed" if communicator.destroying is communicator.destroyed is None else ""
        note(self._bar(lane, made, end, self._height / 2, "alive"), begin + never)
        if never and self.shutdown.begin is not None and self.row >= LABELLED:
            text(lane, self.scale.x(end) - 4, self._middle + 4, "never destroyed", "halo", anchor="end")

    # --- what held the shutdown up ----------------------------------------------------------------------------------

    def _draw_held(self, lane: Element, held: tuple[float, float | None], told: str, labels: list[str]) -> None:
        """A hatched bar, with an arrowhead where it goes on beyond the end, and the first label that fits."""
        begin, end = held[0], self._until(held[1])
        if not self.scale.shows(begin, end):
            return
        height = self.row * 0.72
        drawn = self._bar(lane, begin, end, height, "held")
        drawn.set("tabindex", "0")
        note(drawn, f"{told}, from {moment(begin)} on")
        self._bar(lane, begin, end, height, "hatch").set("pointer-events", "none")
        left, right = self.scale.x(begin), self.scale.x(end)
        if held[1] is None or end > self.scale.window.end:
            x, y, half = number(right), number(self._middle - height / 2), number(height / 2)
            path(lane, f"M{x} {y}l{half} {half}l-{half} {half}z", "held")
        if self.row >= LABELLED:
            self._label(lane, left, right, labels)

    def _label(self, lane: Element, left: float, right: float, labels: list[str]) -> None:
        """Writes the first label for which there is room on a bar from `left` to `right`, else before or behind it."""
        for words in labels:
            if len(words) * LETTER * BOLD + 16 < right - left:
                text(lane, left + 8, self._middle + 4, words, "on").set("pointer-events", "none")
                return
        for words in labels:
            room = len(words) * LETTER * BOLD + 16
            start = left - 4 - room if left - room - 4 > self.scale.left else right + 4
            if start + room < self.scale.right or words is labels[-1]:
                break
        rectangle(lane, (start, self._middle - 9, room, 18), "plate")
        text(lane, start + room / 2, self._middle + 4, words, "warn", anchor="middle")


def _told(what: str, times: list[float]) -> str:
    if len(times) == 1:
        return f"{what} at {moment(times[0])}"
    return f"{what} {len(times)} times from {moment(times[0])} to {moment(times[-1])}"
