"""`icegil timeline`: what it draws of a trace, what it says where there is nothing to draw, the page in a browser."""

import json
import random
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from children import python
from terminal import Seen, in_pipe

from icegil.commands.torture.catalogue import SCENARIOS

SVG = "{http://www.w3.org/2000/svg}"
MAIN = 4000
SECOND = 1e6


@dataclass
class Recording:
    """A trace as the recorder writes it, made by hand. Times in microseconds."""

    events: list[dict[str, Any]] = field(default_factory=list)
    other: dict[str, Any] = field(
        default_factory=lambda: {
            "icegil": "0.1.0",
            "python": "3.13.0",
            "ice": "3.8.3",
            "dropped_events": 0,
            "clean": True,
        }
    )

    def add(self, phase: str, thread: int, time: float, **more: Any) -> None:
        self.events.append({"ph": phase, "pid": 1, "tid": thread, "ts": time, **more})

    def name(self, thread: int, name: str) -> None:
        self.add("M", thread, 0, name="thread_name", args={"name": name})

    def callback(self, thread: int, begin: float | None, end: float | None) -> None:
        if begin is not None:
            self.add("B", thread, begin, name="callback", cat="callback")
        if end is not None:
            self.add("E", thread, end, name="callback", cat="callback")

    def turned_away(self, thread: int, time: float, how: str) -> None:
        self.add("i", thread, time, s="t", cat="gate", name=how)

    def gate(self, state: str, time: float) -> None:
        self.add("i", MAIN, time, s="p", cat="gate", name=state)

    def python(self, step: str, time: float) -> None:
        self.add("i", MAIN, time, s="p", cat="python", name=step)

    def communicator(
        self, place: str, made: float | None, destroying: float | None = None, destroyed: float | None = None
    ) -> None:
        shared = {"cat": "communicator", "id": f"0x{sum(place.encode()):x}"}
        for phase, time in (("b", made), ("n", destroying), ("e", destroyed)):
            if time is not None:
                name = "destroying" if phase == "n" else f"communicator {place}"
                self.add(phase, MAIN, time, name=name, **shared)

    def write(self, path: Path) -> str:
        path.write_text(json.dumps({"traceEvents": self.events, "displayTimeUnit": "ms", "otherData": self.other}))
        return str(path)


def clean() -> Recording:
    made = Recording()
    chance = random.Random(1)
    made.add("M", MAIN, 0, name="process_name", args={"name": "app.py"})
    for thread, name in ((MAIN, "MainThread"), (4001, "Ice-4001"), (4002, "Ice-4002"), (4003, "Ice-4003")):
        made.name(thread, name)
    made.communicator("app.py:12", 20_000, 30 * SECOND, 30 * SECOND + 8_000)
    made.communicator("app.py:15", 25_000, 30 * SECOND + 500, 30 * SECOND + 11_000)
    for thread in (4001, 4002, 4003):
        time = 50_000.0
        while time < 29.9 * SECOND:
            length = chance.expovariate(1 / 20_000)
            made.callback(thread, time, time + length)
            time += length + chance.expovariate(1 / 400_000)
    made.callback(4002, 30 * SECOND - 3_000, 30 * SECOND + 5_500)
    made.gate("draining", 30 * SECOND + 12_000)
    made.gate("sealed", 30 * SECOND + 12_400)
    made.turned_away(4003, 30 * SECOND + 12_900, "parked")
    made.python("finalizing", 30 * SECOND + 13_000)
    made.gate("sealed", 30 * SECOND + 22_000)
    return made


def stuck() -> Recording:
    """Thread Ice-4002 is inside from second 58.4 on, and its communicator's destruction never ends."""
    made = Recording()
    made.other["clean"] = False
    chance = random.Random(2)
    for thread, name in ((MAIN, "MainThread"), (4001, "Ice-4001"), (4002, "Ice-4002"), (4003, "Ice-4003")):
        made.name(thread, name)
    made.communicator("server.py:40", 20_000, 60 * SECOND, None)
    made.communicator("server.py:41", 30_000, 60 * SECOND + 200, 60 * SECOND + 900_000)
    for thread, last in ((4001, 59), (4002, 58), (4003, 61)):
        time = 50_000.0
        while time < last * SECOND:
            length = chance.expovariate(1 / 5_000)
            made.callback(thread, time, time + length)
            time += length + chance.expovariate(1 / 50_000)
    made.callback(4002, 58.4 * SECOND, None)
    made.gate("draining", 64 * SECOND)
    for time in (64.2, 64.25, 64.3, 64.7):
        made.turned_away(4003, time * SECOND, "refused")
    made.turned_away(4001, 64.5 * SECOND, "parked")
    made.gate("sealed", 65 * SECOND)
    made.python("finalizing", 65.1 * SECOND)
    made.turned_away(4003, 65.15 * SECOND, "parked")
    made.gate("sealed", 65.3 * SECOND)
    return made


def overwritten() -> Recording:
    """What a ring buffer left: the ends of callbacks and communicators whose beginnings were overwritten."""
    made = Recording()
    made.other["dropped_events"] = 81_234
    made.name(4001, "Ice-4001")
    made.callback(4001, None, 100.2 * SECOND)
    made.callback(4001, 100.3 * SECOND, 100.35 * SECOND)
    made.callback(4002, None, 100.05 * SECOND)
    made.communicator("app.py:7", None, 100.5 * SECOND, 100.6 * SECOND)
    made.communicator("app.py:8", None, None, 100.4 * SECOND)
    made.callback(4003, 100 * SECOND, 100.01 * SECOND)
    made.gate("draining", 100.62 * SECOND)
    made.gate("sealed", 100.63 * SECOND)
    return made


def crowded(callbacks: int = 200_000, threads: int = 16) -> Recording:
    made = Recording()
    chance = random.Random(3)
    time = [0.0] * threads
    for number in range(callbacks):
        at = number % threads
        begin = time[at] + chance.expovariate(1 / 100)
        time[at] = begin + chance.expovariate(1 / 50)
        made.callback(5000 + at, round(begin, 3), round(time[at], 3))
    made.gate("draining", max(time))
    made.gate("sealed", max(time) + 200)
    return made


@dataclass(frozen=True)
class Picture:
    """A drawn SVG document."""

    root: ElementTree.Element

    @property
    def texts(self) -> list[str]:
        return [each.text or "" for each in self.root.iter(f"{SVG}text")]

    @property
    def notes(self) -> list[str]:
        """What a pointer is told, of all bars and marks."""
        return [each.text or "" for group in self.root.iter(f"{SVG}g") for each in group.iter(f"{SVG}title")]

    @property
    def headline(self) -> str:
        return self.root.findtext(f"{SVG}title") or ""

    @property
    def lanes(self) -> list[str]:
        return [each.get("aria-label", "") for each in self.root.iter(f"{SVG}g")]

    def of_look(self, look: str, lane: str = "") -> list[ElementTree.Element]:
        """The bars and marks in the lanes, or in those of one name, that look so."""
        return [
            each
            for group in self.root.iter(f"{SVG}g")
            if group.get("aria-label", "").startswith(lane)
            for each in group.iter()
            if each.get("class") == look
        ]


def draw(recording: Recording, folder: Path, *options: str) -> Picture:
    target = folder / "out.svg"
    seen = in_pipe("timeline", recording.write(folder / "trace.json"), "-o", str(target), *options)
    assert seen == Seen(0, "", "")
    return Picture(ElementTree.parse(target).getroot())


# --- what is drawn ---


def test_a_clean_shutdown_warns_of_nothing(tmp_path: Path) -> None:
    picture = draw(clean(), tmp_path)
    assert picture.headline == "A clean shutdown, 22.0 ms"
    assert not picture.of_look("held")
    assert not picture.of_look("warn")
    assert picture.of_look("cap", "communicator app.py:12")


def test_a_callback_that_never_ended_is_named_with_its_thread_and_duration(tmp_path: Path) -> None:
    picture = draw(stuck(), tmp_path)
    assert picture.headline == "Shutdown held up by Ice-4002 (4002), inside a callback for 6.90 s, and 1 more"
    assert "Ice-4002 (4002) inside for 6.90 s, still inside at the end" in picture.texts
    assert picture.of_look("held", "Ice-4002")
    assert not picture.of_look("held", "Ice-4001")


def test_a_label_is_shortened_before_it_is_put_over_what_happened_earlier(tmp_path: Path) -> None:
    recording = Recording()
    recording.name(4001, "Ice-4001")
    recording.callback(4001, 0, 60)
    recording.callback(4001, 64, None)
    recording.gate("draining", 70)
    recording.gate("sealed", 100)
    picture = draw(recording, tmp_path)
    assert [each.text for each in picture.of_look("on", "Ice-4001")] == ["Ice-4001 (4001) inside for 36.0 µs"]
    assert not picture.of_look("plate")


def test_a_destruction_that_never_ended_is_named_with_its_duration(tmp_path: Path) -> None:
    picture = draw(stuck(), tmp_path)
    assert "destruction did not end in 5.30 s" in picture.texts
    assert picture.of_look("held", "communicator server.py:40")
    assert not picture.of_look("held", "communicator server.py:41")


def test_a_callback_that_ended_only_after_the_gate_was_sealed_held_the_shutdown_up(tmp_path: Path) -> None:
    recording = Recording()
    recording.callback(4001, 1000, 9000)
    recording.callback(4002, 1000, 4000)
    recording.gate("draining", 3000)
    recording.gate("sealed", 8000)
    recording.python("finalizing", 20_000)
    picture = draw(recording, tmp_path)
    assert picture.headline == "Shutdown held up by thread 4001, inside a callback for 8 ms"
    assert not picture.of_look("held", "thread 4002")


def test_a_thread_that_finalizes_inside_its_own_callback_does_not_hold_itself_up(tmp_path: Path) -> None:
    recording = Recording()
    recording.callback(MAIN, 1000, None)
    recording.gate("draining", 2000)
    recording.gate("sealed", 3000)
    assert draw(recording, tmp_path).headline.startswith("A clean shutdown")


def test_a_communicator_that_nobody_destroyed_says_so(tmp_path: Path) -> None:
    recording = Recording()
    recording.communicator("app.py:3", 10)
    recording.gate("draining", 2000)
    recording.gate("sealed", 3000)
    picture = draw(recording, tmp_path)
    assert "never destroyed" in picture.texts
    assert "made at 0.00001 s, never destroyed" in picture.notes


def test_a_short_shutdown_is_enlarged(tmp_path: Path) -> None:
    picture = draw(clean(), tmp_path)
    assert {"The whole trace, 30.0 s", "The shutdown, enlarged"} <= set(picture.texts)
    assert picture.lanes.count("Ice-4002 (4002)") == 2
    assert picture.lanes.count("Ice-4001 (4001)") == 1
    assert "Not drawn: 1 thread with nothing of interest from 29.99824 s on." in picture.texts


def test_the_shutdown_begins_where_the_process_says_so(tmp_path: Path) -> None:
    recording = Recording()
    recording.communicator("app.py:3", 10, 100, 200)
    recording.python("shutdown begins", 50_000)
    recording.gate("draining", 110_000)
    recording.gate("sealed", 111_000)
    picture = draw(recording, tmp_path)
    assert picture.headline == "A clean shutdown, 61.0 ms"
    assert "the shutdown begins" in picture.texts


def test_a_destruction_long_before_the_end_does_not_begin_the_shutdown(tmp_path: Path) -> None:
    recording = clean()
    recording.communicator("early.py:1", 1000, 2 * SECOND, 3 * SECOND)
    assert draw(recording, tmp_path).headline == "A clean shutdown, 22.0 ms"


def test_a_part_of_the_trace_can_be_asked_for(tmp_path: Path) -> None:
    picture = draw(stuck(), tmp_path, "--from", "64", "--to=64.6")
    assert "From 64 s to 64.6 s" in picture.texts
    assert "64.1 s" in picture.texts
    assert picture.notes.count("refused at 64.2 s") == 1
    assert not any("64.7 s" in note for note in picture.notes)
    assert picture.lanes.count("Ice-4002 (4002)") == 1


def test_threads_that_came_too_late_are_marked(tmp_path: Path) -> None:
    picture = draw(stuck(), tmp_path)
    assert "parked at 64.5 s" in picture.notes
    assert "refused at 64.7 s" in picture.notes
    assert "refused 4 times from 64.2 s to 64.7 s" in picture.notes  # in the small panel, too close to be told apart


def test_the_gate_and_the_finalization_are_labelled(tmp_path: Path) -> None:
    texts = draw(stuck(), tmp_path).texts
    assert {"gate open, 64.0 s", "gate draining, 1 s", "gate sealed", "Python finalizes"} <= set(texts)


def test_overwritten_beginnings_are_drawn_as_not_known(tmp_path: Path) -> None:
    picture = draw(overwritten(), tmp_path)
    assert any("the 81234 oldest events overwritten" in text for text in picture.texts)
    assert any(note.startswith("callback up to 100.2 s; its beginning") for note in picture.notes)
    assert "made before the trace begins" in picture.notes
    assert "callback from 100.3 s on, 50.0 ms" in picture.notes


def test_a_trace_without_a_shutdown_says_so(tmp_path: Path) -> None:
    recording = Recording()
    recording.callback(4001, 0, 10)
    recording.callback(4001, 20, None)
    recording.callback(4002, 30, 7_200_000_000)
    picture = draw(recording, tmp_path)
    assert picture.headline.startswith(
        "No shutdown in this trace; at its end: thread 4001, inside a callback for 120 min"
    )
    assert "1:30:00" in picture.texts


def test_many_callbacks_make_a_small_picture(tmp_path: Path) -> None:
    recording = crowded()
    picture = draw(recording, tmp_path)
    assert (tmp_path / "out.svg").stat().st_size < 2_000_000
    counts = [int(found[1]) for note in picture.notes if (found := re.match(r"(\d+) callbacks from", note))]
    whole = sum(counts) + len(picture.of_look("cb")) - len(counts)
    assert whole >= 200_000


def test_many_threads_are_told_of_but_only_the_telling_ones_drawn(tmp_path: Path) -> None:
    recording = Recording()
    for thread in range(1000):
        recording.callback(5000 + thread, thread, thread + 0.5 if thread != 777 else None)
    picture = draw(recording, tmp_path)
    assert picture.of_look("held", "thread 5777")
    assert "Not drawn: 968 threads of less interest." in picture.texts


def test_any_name_can_be_drawn(tmp_path: Path) -> None:
    recording = clean()
    recording.name(4001, "<b>&\x00\ud800" + "x" * 100)
    recording.communicator("<script>alert(1)</script>", 5)
    names = draw(recording, tmp_path).lanes
    assert f"<b>&\ufffd\ufffd{'x' * 100} (4001)" in names
    assert "communicator <script>alert(1)</script>" in names


# --- what was recorded in earnest ---


def record(scenario: str, folder: Path) -> tuple[str, str]:
    """Runs a scenario with a timeline; the file, and what was in the log."""
    file = folder / "trace.json"
    ended = python(
        "-m", "icegil", "run", "--drain-timeout=0.3", "--trace", str(file), str(SCENARIOS / f"{scenario}.py")
    )
    assert not ended.hung
    return str(file), ended.stderr


@pytest.fixture(scope="module")
def held_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The timeline of a program whose servant never returns, and the thread that the log says is stuck in it."""
    file, log = record("servant_waits_for_ever", tmp_path_factory.mktemp("held_up"))
    [stuck_thread] = re.findall(r"^thread (\d+) is in:$", log, re.MULTILINE)
    return file, stuck_thread


def drawn(file: str, target: Path) -> Path:
    assert in_pipe("timeline", file, "-o", str(target)) == Seen(0, "", "")
    return target


def test_a_real_stuck_shutdown_names_the_thread_that_the_log_names(held_up: tuple[str, str], tmp_path: Path) -> None:
    file, thread = held_up
    picture = Picture(ElementTree.parse(drawn(file, tmp_path / "out.svg")).getroot())
    assert picture.headline.startswith(f"Shutdown held up by Ice-{thread} ({thread}), inside a callback for ")
    held = {lane.partition("/")[0] for lane in picture.lanes if picture.of_look("held", lane)}
    assert held == {f"Ice-{thread} ({thread})", "communicator "}
    assert picture.of_look("waits", "MainThread")
    assert {"the shutdown begins", "gate sealed", "Python finalizes"} <= set(picture.texts)


def test_a_real_stuck_shutdown_can_be_asked_in_a_browser(held_up: tuple[str, str], tmp_path: Path) -> None:
    file, thread = held_up
    found = in_browser(drawn(file, tmp_path / "out.html"), USER, tmp_path)
    assert found["outside"] == []
    assert found["hover"].startswith(f"Ice-{thread} ({thread})\ninside for ")
    assert found["next"].startswith("MainThread (")


def test_a_real_clean_shutdown_warns_of_nothing(tmp_path: Path) -> None:
    file, log = record("never_destroyed", tmp_path)
    assert log == ""
    picture = Picture(ElementTree.parse(drawn(file, tmp_path / "out.svg")).getroot())
    assert picture.headline.startswith("A clean shutdown, ")
    assert picture.of_look("cb") and picture.of_look("destroying") and picture.of_look("cap")
    assert not picture.of_look("held") and not picture.of_look("warn")


# --- what cannot be drawn ---

EVENT = {"ph": "B", "pid": 1, "tid": 1, "ts": 1.0, "cat": "callback", "name": "callback"}


def trace_of(*events: Any) -> str:
    return json.dumps({"traceEvents": list(events), "otherData": {"icegil": "0.1.0"}})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file or directory"),
        (b"", "is not JSON, or not all of it (line 1, column 1)"),
        (b'{"traceEvents": [{"ph"', "is not JSON, or not all of it"),
        (b"\xff\xfe\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"1" * 10_000, "is not JSON"),
        (b"[]", "is JSON, but not a trace of icegil's"),
        (b'{"traceEvents": [], "otherData": {}}', "is JSON, but not a trace of icegil's"),
        (trace_of().encode(), "is a trace without events"),
        (trace_of(7).encode(), "is no trace: its event 0 is not an object"),
        (trace_of(EVENT, {**EVENT, "ts": "now"}).encode(), "is no trace: its event 1 has no proper ts"),
        (trace_of({**EVENT, "ts": float("nan")}).encode(), "is no trace: its event 0 has no proper ts"),
        (trace_of({**EVENT, "tid": None}).encode(), "is no trace: its event at 1.000 µs has no proper tid"),
    ],
    ids=lambda each: "" if isinstance(each, bytes) else None,
)
def test_what_is_no_trace_is_one_line_and_status_2(content: bytes | None, why: str, tmp_path: Path) -> None:
    source, target = tmp_path / "trace.json", tmp_path / "out.svg"
    if content is not None:
        source.write_bytes(content)
    seen = in_pipe("timeline", str(source), "-o", str(target))
    assert seen.status == 2
    assert seen.stderr.startswith(f"icegil timeline: {source}: {why}")
    assert seen.stderr.endswith("; a trace is recorded with `icegil run --trace FILE`\n")
    assert seen.stderr.count("\n") == 1
    assert not target.exists()


@pytest.mark.parametrize(
    ("target", "options", "why"),
    [
        ("out.png", (), "give it .svg or .html"),
        ("out", (), "give it .svg or .html"),
        ("missing/out.svg", (), "No such file or directory; choose another place with -o"),
        ("out.svg", ("--from", "70"), "the trace goes from 0.02 s to 65.3 s"),
        ("out.svg", ("--from", "5", "--to", "5"), "nothing to draw from 5 s to 5 s"),
    ],
)
def test_what_cannot_be_drawn_is_one_line_and_status_2(
    target: str, options: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    seen = in_pipe("timeline", stuck().write(tmp_path / "trace.json"), "-o", str(tmp_path / target), *options)
    assert seen.status == 2
    assert why in seen.stderr
    assert seen.stderr.startswith("icegil timeline: ")
    assert seen.stderr.count("\n") == 1


# --- the page ---

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# Does with the page what a user does, and leaves in its body's data-found what there was to see after each step.
USER = """
{
const found = {};
const box = () => svg.getAttribute("viewBox").split(" ").map(Number);
const press = (key) => dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
const seen = () => (tip.hidden ? null : tip.textContent);
const held = document.querySelector("rect.held");
const at = held.getBoundingClientRect();
const pointer = (type, target, x, y) => target.dispatchEvent(
  new PointerEvent(type, { bubbles: true, clientX: x, clientY: y, button: 0 }));
found.begin = box();
found.outside = [...svg.querySelectorAll("text")].filter((text) => {
  const { x, y, width, height } = text.getBBox();
  return x < 0 || y < 0 || x + width > found.begin[2] || y + height > found.begin[3];
}).map((text) => text.textContent);
pointer("pointermove", held, at.left + 1, at.top + 1);
found.hover = seen();
pointer("pointermove", svg, 1, 1);
found.nothing = seen();
svg.dispatchEvent(new WheelEvent("wheel", { deltaY: -500, clientX: at.left, clientY: at.top, cancelable: true }));
found.wheel = box();
const after = held.getBoundingClientRect();
found.moved = Math.hypot(after.left - at.left, after.top - at.top);
pointer("pointerdown", svg, 300, 300);
pointer("pointermove", svg, 250, 280);
pointer("pointerup", svg, 250, 280);
found.drag = box();
press("0");
found.all = box();
press("+");
press("ArrowRight");
found.keys = box();
held.focus();
if (!document.hasFocus()) {  // not yet, on a busy machine: then a page is told nothing of it
  held.dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
}
found.focus = seen();
press("Escape");
found.escape = seen();
press("n");
found.next = seen();
found.titles = svg.querySelectorAll("g title").length;
document.body.dataset.found = JSON.stringify(found);
}
"""


def in_browser(page: Path, script: str, folder: Path) -> dict[str, Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (chromium, chromium-browser, google-chrome)")
    tried = folder / "tried.html"
    tried.write_text(page.read_text().replace("</body>", f"<script>{script}</script></body>"))
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1200,800",
        f"--user-data-dir={folder}/user",
    ]
    done = subprocess.run(
        [CHROMIUM, *options, "--dump-dom", tried.as_uri()], capture_output=True, text=True, timeout=120
    )
    found = re.search(r'data-found="([^"]*)"', done.stdout)
    assert found, done.stderr
    answer: dict[str, Any] = json.loads(found[1].replace("&quot;", '"').replace("&lt;", "<").replace("&amp;", "&"))
    return answer


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    target = folder / "out.html"
    assert in_pipe("timeline", stuck().write(folder / "trace.json"), "-o", str(target)) == Seen(0, "", "")
    return target


def test_the_page_needs_nothing_but_itself(page: Path) -> None:
    text = page.read_text()
    assert set(re.findall(r"https?://[^\s\"']*", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\b(src|href)=|@import|\bfetch\(|XMLHttpRequest", text)
    assert "default-src 'none'" in text


def test_the_page_can_be_zoomed_panned_and_asked_in_a_browser(page: Path, tmp_path: Path) -> None:
    found = in_browser(page, USER, tmp_path)
    whole = found["begin"]
    assert found["outside"] == []
    assert found["hover"].startswith("Ice-4002 (4002)\ninside for 6.90 s, still inside at the end, from 58.4")
    assert found["nothing"] is None
    assert found["wheel"][2] < whole[2] / 2
    assert found["moved"] < 2  # what is under the pointer stays there
    assert found["drag"][0] > found["wheel"][0]
    assert found["drag"][1] > found["wheel"][1]
    assert found["all"] == pytest.approx(whole)
    assert found["keys"][2] == pytest.approx(whole[2] * 0.8)
    assert found["keys"][0] > whole[2] * 0.1
    assert found["focus"] == found["hover"]
    assert found["escape"] is None
    assert found["next"].startswith("MainThread (4000)\nshuts down")
    assert found["titles"] == 0
