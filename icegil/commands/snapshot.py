"""The `icegil snapshot` command: asks a running server's admin facet what the server is at, and shows it."""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
from collections.abc import Iterator
from typing import Any

import icegil._compat as _compat
import icegil.commands.screen as screen
from icegil.commands.screen import Table, Text
from icegil.errors import UnsupportedIce

FACET = "IceGil"
EMPTY = b"\6\0\0\0\1\1"
"""An encapsulation of no arguments."""

_EXAMPLE = "'server/admin:tcp -h localhost -p 10000'"
_NO_PROXY = f"that is no proxy. One looks like {_EXAMPLE}, with the server's Ice.Admin.InstanceName and -Endpoints"
_TOO_LATE = (
    "no answer came in time. The process may be stuck, or all its threads busy: with Ice.Admin.ThreadPool.Size=1 its "
    "admin facets have a thread of their own"
)
_WHY = {
    "ParseException": _NO_PROXY,
    "ProxyParseException": _NO_PROXY,
    "EndpointParseException": _NO_PROXY,
    "IdentityParseException": _NO_PROXY,
    "ConnectionRefusedException": "nobody listens there: the server is not running, or its Ice.Admin.Endpoints differ",
    "TimeoutException": _TOO_LATE,
    "DNSException": "that host is not known",
    "FacetNotExistException": "the process has no such facet. The program needs icegil, its communicator "
    f"IceGil.Admin=1; and where Ice.Admin.Facets is set, {FACET} must be among them",
    "ObjectNotExistException": "there is a server, and no such object. It is the server's Ice.Admin.InstanceName, a "
    "slash, and admin",
    "OperationNotExistException": "that object is not icegil's admin facet",
    "NoEndpointException": f"the proxy says no address. One looks like {_EXAMPLE}",
    "NotRegisteredException": "the locator knows no such object",
    "ServerNotExistException": "the registry knows no such server",
    "NodeUnreachableException": "the server's node does not run, or cannot be reached",
    "DeploymentException": "the server could not be deployed on its node",
    "PermissionDeniedException": "the registry gives no session. Its administrators log in with --user",
}


class Failure(Exception):
    """Nothing can be shown; the text says why."""


def snapshot(
    proxy: str | None, server: str | None, *, user: str | None, timeout: float, words: list[str], as_json: bool
) -> None:
    """Asks the process behind a stringified proxy, or a server of IceGrid's by its id, and shows what it answers.

    `words` are properties for the command's own communicator, as Ice takes them. SystemExit: 1 if there is no answer.
    """
    try:
        with _communicator(timeout, words) as (ice, communicator):
            try:
                found = _ask(ice, communicator, proxy, server, user)
            except ice.Exception as error:
                raise Failure(f"{proxy or server}: {_why(error)}") from None
    except Failure as error:
        sys.exit(f"icegil snapshot: {error}")
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        _show(**found)


@contextlib.contextmanager
def _communicator(timeout: float, words: list[str]) -> Iterator[tuple[Any, Any]]:
    """Ice, and a communicator that listens nowhere, whatever a server's own configuration file may say."""
    try:
        ice = _compat.import_ice()
    except (ImportError, UnsupportedIce) as error:
        raise Failure(f"zeroc-ice cannot be used: {error}") from None
    milliseconds = max(1, min(int(timeout * 1000), 2**31 - 1))
    ours = ["icegil", f"--Ice.Default.InvocationTimeout={milliseconds}", "--Ice.MessageSizeMax=0", *words]
    ours += ["--Ice.Admin.Enabled=0", "--Ice.Admin.Endpoints="]
    try:
        communicator = ice.initialize(ours)
    except ice.Exception as error:
        raise Failure(_why(error)) from None
    try:
        if unknown := ours[1:]:
            raise Failure(f"Ice does not know {' '.join(unknown)}")
        yield ice, communicator
    finally:
        communicator.destroy()


def _ask(ice: Any, communicator: Any, proxy: str | None, server: str | None, user: str | None) -> dict[str, Any]:
    if server is None:
        return _invoke(ice, communicator.stringToProxy(proxy))
    with _grid(communicator, user) as admin:
        return _invoke(ice, admin.getServerAdmin(server))


@contextlib.contextmanager
def _grid(communicator: Any, user: str | None) -> Iterator[Any]:
    """A session with the registry of IceGrid, which leads to the servers that it knows."""
    from getpass import getpass

    IceGrid: Any = importlib.import_module("IceGrid")  # which 3.8 has types for, and no other

    locator = communicator.getDefaultLocator()
    if locator is None:
        raise Failure(
            "--server needs to know where the registry is: --Ice.Default.Locator='IceGrid/Locator:tcp -h host -p 4061',"
            " or --Ice.Config=file with that"
        )
    name = f"{locator.ice_getIdentity().category}/Registry"
    registry = IceGrid.RegistryPrx.checkedCast(communicator.stringToProxy(name))
    password = "" if user is None else getpass(f"password of {user}: ")
    session = registry.createAdminSession("icegil" if user is None else user, password)
    try:
        yield session.getAdmin()
    finally:
        session.destroy()


def _invoke(ice: Any, proxy: Any) -> dict[str, Any]:
    if proxy is None:
        raise Failure("the proxy is empty")
    facet = proxy if proxy.ice_getFacet() else proxy.ice_facet(FACET)
    return {
        name: _answer(facet.ice_invoke(name, ice.OperationMode.Idempotent, EMPTY)) for name in ("status", "snapshot")
    }


def _answer(result: tuple[bool, bytes]) -> Any:
    """The JSON in an encapsulation of one Slice string."""
    is_good, encapsulation = result
    string = encapsulation[6:]
    text = string[1:] if string[:1] != b"\xff" else string[5:]
    try:
        if not is_good:
            raise ValueError
        return json.loads(text)
    except ValueError:
        raise Failure("that object is not icegil's admin facet: it answers with something else") from None


def _why(error: Exception) -> str:
    for cls in type(error).__mro__:
        if cls.__name__ in _WHY:
            return _WHY[cls.__name__]
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


# --- Showing it -----------------------------------------------------------------------------------------------------


def _show(status: dict[str, Any], snapshot: dict[str, Any]) -> None:
    things: list[Text | Table] = [_facts(status, snapshot), Text(), _communicators(snapshot["communicators"]), Text()]
    for each in snapshot["callbacks"]:
        things.append(
            Text(f"inside a callback for {each['seconds']:.1f} s: thread {each['name'] or each['native_id']}")
        )
        things.append(Text("".join(each["stack"]).rstrip("\n")))
    if not snapshot["callbacks"]:
        things.append(Text("no thread is inside a callback"))
    screen.on(sys.stdout).show(*things)


def _facts(status: dict[str, Any], snapshot: dict[str, Any]) -> Table:
    gate, calls, timeout = snapshot["gate"], snapshot["calls"], status["drain_timeout"]
    versions = f"Python {status['python']}, zeroc-ice {status['ice']}, icegil {status['icegil']}"
    entries = f"{gate['admitted']} callbacks so far, {gate['refused']} refused, {gate['parked']} parked"
    rows = {
        "process": f"{status['process']}, {versions}",
        "mode": ": ".join(filter(None, (status["mode"], status["reason"]))),
        "drain timeout": "none" if timeout is None else f"{timeout:g} s",
        "gate": f"{gate['state']}: {entries}",
        "calls": f"{calls['begun']} begun, {calls['under_way']} under way",
    }
    facts = Table()
    for name, words in rows.items():
        facts.add_row(Text(name), Text(words))
    return facts


def _communicators(views: list[dict[str, Any]]) -> Table | Text:
    if not views:
        return Text("no communicators")
    communicators = Table("communicator made at", "state", "age")
    for each in views:
        communicators.add_row(Text(each["made_at"]), Text(each["state"]), Text(f"{each['age']:.1f} s"))
    return communicators
