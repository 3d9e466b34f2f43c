"""The boundary between C++ threads and Python; for icegil's own modules. Every function is callable from any thread."""

from collections.abc import Callable
from typing import Any, NoReturn

def is_finalizing() -> bool:
    """Whether the gate is not open, or Python finalizes."""

def gate_state() -> str:
    """`"open"`, `"draining"` or `"sealed"`."""

def counters() -> dict[str, int]:
    """The gate's totals: admitted, refused, parked, inside, most; and the completions dropped."""

def count_dropped() -> None:
    """Counts one completion that had nobody to go to."""

def occupants() -> list[tuple[int, int, float]]:
    """Who is inside the gate now: `threading.get_ident()`, `threading.get_native_id()`, for how many seconds."""

def keep_time() -> None:
    """Notes from now on when a thread enters the gate, for `occupants`."""

def call_on_native_thread(work: Callable[[], object], completed: Callable[[BaseException | None], object], /) -> None:
    """Calls `work()` on a new native thread, then `completed(error)` there; error is what work raised, or None.

    The gate must be open when the thread enters it, or nothing is called. OSError if no thread can be started.
    """

class Watch:
    """Calls `late()` on a native thread after some seconds, unless `end()` is called before.

    Nobody waits for that thread, and until it calls it is not inside the gate. Where none can be started nothing is
    called.
    """

    def __init__(self, seconds: float, late: Callable[[], object]) -> None: ...
    def end(self) -> None: ...

def drain(timeout: float, /) -> int:
    """Closes the gate to those outside and waits up to `timeout` seconds for those inside; how many are left.

    The calling thread is the finalizer from here on. A signal handler that raises ends the waiting.
    """

def seal() -> None:
    """Closes the gate to all but the finalizer."""

def clean_up_icepy() -> None:
    """Calls what IcePy would have CPython call when its module is freed, which never happens."""

def keep_alive(thing: object, /) -> None:
    """Gives `thing` a reference that nobody drops: its destructor will not run."""

def note_unclean() -> None:
    """Somebody is left who lives on beside finalization."""

def leave_right_after_finalization() -> None:
    """Has the process end when `exit` begins, if it is unclean then: before C++ destroys what threads still use."""

def set_futures(
    report: Callable[[object, str], object],
    timeout: type[BaseException],
    cancelled: type[BaseException],
    habits: dict[str, Any],
    /,
) -> None:
    """What the futures need to know of the installed Ice: its exceptions, its habits, and how it says what callbacks
    have raised: `report(future, what)`, with the exception set. Called once, before there are any."""

class Future:
    """The state of an asynchronous operation; what `Ice.Future` is made of."""

class InvocationFuture(Future):
    """The same of a call of a proxy; what `Ice.InvocationFuture` is made of."""

def add_while_running(future: object, fn: Callable[..., object], /) -> bool:
    """As `add_done_callback`; False, and `fn` is not called, if the future is done."""

def awaited_on(loop: Any, operation: Any, /) -> Any:
    """A future of this event loop, asyncio's or one like it, for a `Future`; as `Ice.wrap_future`."""

def keep_states(keeps: bool, /) -> None:
    """Whether a thread of Ice that comes for the first time keeps its thread state from one callback to the next."""

def set_dispatches(
    installed: Callable[..., Any],
    run_coroutine: Callable[..., Any],
    say: Callable[[Any], None],
    stranded: type[Exception],
    /,
) -> None:
    """What dispatches of coroutines need of the installed Ice. Called before there are any."""

def run_on_loop(coroutine: Any, loop: Any, answer: Any, /) -> None:
    """Runs a servant's coroutine on a loop; it ends in `answer.response(result)` or `answer.exception(error)`."""

def fail_stranded_dispatches() -> None:
    """The shutdown has begun: fails what waits for a loop that does not run, now and from now on."""

def leave_dispatches_to_parent() -> None:
    """In a forked child: the dispatches are the parent's."""

def dispatch(callback: Any, method: Callable[..., Any], arguments: tuple[Any, ...], /) -> None:
    """In place of `Ice.Dispatch.dispatch`."""

def unseen_error(future: object, /) -> BaseException | None:
    """What the call of this `InvocationFuture` has failed with, if nobody has asked for it."""

def add_while_unsent(future: object, fn: Callable[..., object], /) -> bool:
    """As `add_sent_callback`; False, and `fn` is not called, if the request was sent."""

def futures() -> dict[str, int]:
    """Futures that are alive; calls of proxies that were begun, and that are over."""

def own_futures(cls: type, methods: list[object | None], /) -> None:
    """Looks after the references to futures of this class, in calls by these methods of IcePy; None: it has none.

    In this order: `invokeAsync` of operations; of proxies `ice_invokeAsync`, and on Ice 3.7 `ice_isAAsync`,
    `ice_pingAsync`, `ice_idsAsync`, `ice_idAsync`.
    """

def disown_futures() -> None:
    """Undoes `own_futures`; calls that are being made end as they began."""

def ownership() -> dict[str, Any]:
    """Whether a call was looked at; whether IcePy took a reference too many; how many were given back."""

def keep_modules(modules: dict[str, dict[str, object]], /) -> None:
    """Has IcePy find these modules, by name, once the gate is sealed. They are kept for good, and what stands in them.

    The garbage collector sees no more of those things, nor of what their classes consist of.
    """

def is_inside() -> bool:
    """Whether the calling thread is inside the gate."""

class Redirect:
    """One import of one loaded object, pointed at the bridge's function of the same name. Undone only when told."""

    name: str
    path: str
    """The object's file; empty for the executable."""

    def __init__(self, name: str, address: int) -> None:
        """The import `name` of the object that contains `address`. Changes nothing yet."""

    def put(self) -> str:
        """Redirects, unless it is redirected. Why it could not be done; empty if it was."""

    def take_away(self) -> None:
        """Puts back what was there, unless another tool has been there since. Threads may be in the bridge still."""

    @property
    def is_in_place(self) -> bool:
        """Whether calls lead to the bridge now."""

    @property
    def original(self) -> int:
        """Address of the function that is stood for; 0 if it was not found, or not looked for."""

    @property
    def slots(self) -> list[tuple[int, int]]:
        """The slots that were redirected: the address of each, and what it held before."""

def address_in_icepy() -> int:
    """An address in the object that IcePy is."""

def address_in_interpreter() -> int:
    """An address in the object that holds the interpreter: an executable, or libpython."""

def set_exit_hook(function: Callable[[int], int], /) -> None:
    """What a thread calls that is told to exit with a status: the one to leave with there and then, or -1."""

def set_in_place_of_exits(exception: BaseException, /) -> None:
    """What IcePy is given in place of a SystemExit or KeyboardInterrupt that is kept for the program."""

def set_own_code(addresses: list[int], /) -> None:
    """The objects that hold these addresses are Ice's and icegil's: no thread with code of theirs on its stack ends."""

class LastHandler:
    """An `atexit` handler that calls `first()`. Its only owner is to be `atexit`: its end is the moment it is for.

    All handlers have run then, and nothing of the interpreter has gone. `next_step()` is called there until it is
    false; nothing looks at signals in between.
    """

    def __init__(self, first: Callable[[], None], next_step: Callable[[], bool]) -> None: ...
    def __call__(self) -> None: ...

def show_unraisable(error: BaseException, thing: object, /) -> None:
    """Shows an exception as Python does where there is nobody to raise it to."""

def park_this_thread() -> NoReturn:
    """Does not return: the calling thread sleeps to the end of the process, without the GIL. Nobody waits for it."""

def address_in_bridge() -> int:
    """An address in the object that the bridge is."""

def needed_objects_of(address: int, /) -> list[tuple[str, int]]:
    """What the object that contains `address` needs and is loaded: soname, and an address in it."""

def gil_given_away() -> dict[str, int]:
    """How often a thread gave the GIL away so as not to wait in Ice with it: for_lock, for_wait, for_join."""

def gil_places() -> list[str]:
    """From where in the Ice runtime that was: file, offset, symbol."""

def set_thread_hooks(on_first_entry: Callable[[], object], on_end: Callable[[], object], /) -> None:
    """Functions that each native thread calls as it comes to Python for the first time, and before it ends."""

def start_trace(capacity: int, own_name: Callable[[], str], /) -> None:
    """Records from now on, the latest `capacity` events, a power of two; goes on if it records already.

    `own_name()` says what Python calls the calling thread.
    """

def stop_trace() -> None:
    """Records no more."""

def is_tracing() -> bool:
    """Whether events are recorded."""

def trace_communicator(event: str, number: int, place: bytes, /) -> None:
    """Notes that a communicator was "made", is "destroying" or is "destroyed"."""

def name_thread_in_trace(tid: int, name: str, /) -> None:
    """What the timeline calls a thread from here on; "Ice-" and the number if nobody says."""

def trace_shutdown_begins() -> None:
    """Notes that the shutdown begins: `atexit` handlers run."""

def trace_finalizing() -> None:
    """Notes that Python is about to finalize."""

def save_trace(path: bytes, facts: bytes, /) -> None:
    """Writes the events so far to a file, with facts in JSON. OSError if that fails."""

def save_trace_at_exit(path: bytes, if_clean: bytes, if_unclean: bytes, /) -> None:
    """Has the events written when the process ends, with other facts when threads or communicators are stuck."""

def write_trace_before_finalization() -> None:
    """Writes the file of `save_trace_at_exit`, if there is to be one, as it stands now."""
