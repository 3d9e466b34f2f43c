"""`IceGil.Mode` and the others: where they are taken from, who goes before whom, and what is said of a wrong one."""

import json
import textwrap
from pathlib import Path

import pytest
from children import python

from icegil.commands.torture.endings import Ending

BEGINNING = """\
import sys
import icegil
from icegil import Ice

def settings():
    from icegil import guard
    return {name: (each.value, each.source) for name, each in guard.settings_in_use().items()}

"""
ENDS_WITHIN = "IceGil.DrainTimeout=3"


def program(code: str, *words: str, **environment: str) -> Ending:
    """How a program ends that has the above in hand, and these words on its command line."""
    return python("-c", BEGINNING + textwrap.dedent(code), *words, **environment)


def check(code: str, *words: str, says: str = "", complains: str = "", **environment: str) -> None:
    ended = program(code, *words, **environment)
    assert (ended.stdout, ended.stderr, ended.status) == (says, complains, 0)


def config(folder: Path, *lines: str) -> str:
    path = folder / "config"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


# --- Where they are taken from --------------------------------------------------------------------------------------

SAYS_TIMEOUT = """
with Ice.initialize(sys.argv):
    print(sys.argv, icegil.status().drain_timeout)
"""


def test_a_configuration_file_says_them(tmp_path: Path) -> None:
    file = config(tmp_path, ENDS_WITHIN)
    check(SAYS_TIMEOUT, f"--Ice.Config={file}", says="['-c'] 3.0\n")
    check(SAYS_TIMEOUT, ICE_CONFIG=file, says="['-c'] 3.0\n")


def test_a_command_line_says_them_and_its_words_are_taken_out_of_it_as_ices_own() -> None:
    words = ("--mine", f"--{ENDS_WITHIN}", "--Ice.Trace.Network=0", "file", "--IceGil.Admin", "--IceGilded=1")
    check(SAYS_TIMEOUT, *words, says="['-c', '--mine', 'file', '--IceGilded=1'] 3.0\n")


def test_a_command_line_goes_before_a_configuration_file(tmp_path: Path) -> None:
    file = config(tmp_path, "IceGil.DrainTimeout=2")
    check(SAYS_TIMEOUT, f"--Ice.Config={file}", f"--{ENDS_WITHIN}", says="['-c'] 3.0\n")
    check(SAYS_TIMEOUT, f"--Ice.Config={file}", "--IceGil.DrainTimeout=1", says="['-c'] 1.0\n")


def test_properties_that_a_program_makes_of_its_command_line_have_them() -> None:
    check(
        """
        properties = Ice.createProperties(sys.argv)
        print(sys.argv, properties.getProperty("IceGil.DrainTimeout"))
        from _echo import communicator
        with communicator(properties.getPropertiesForPrefix("")):
            print(icegil.status().drain_timeout)
        """,
        f"--{ENDS_WITHIN}",
        says="['-c'] 3\n3.0\n",
    )


def test_a_communicator_that_was_there_before_icegil_is_followed(tmp_path: Path) -> None:
    code = """
        import Ice, icegil, sys
        ice = Ice.initialize(sys.argv)
        icegil.install()
        print(icegil.status().drain_timeout, icegil.status().mode)
    """
    file = config(tmp_path, ENDS_WITHIN, "IceGil.Mode=teardown")
    ended = python("-c", textwrap.dedent(code), f"--Ice.Config={file}")
    assert (ended.stdout, ended.stderr) == ("3.0 teardown\n", "")


def test_a_program_under_icegil_run_has_them_too(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"import Ice, icegil, sys\n{SAYS_TIMEOUT}")
    ended = python("-m", "icegil", "run", str(script), f"--{ENDS_WITHIN}")
    assert (ended.stdout, ended.stderr, ended.status) == (f"['{script}'] 3.0\n", "", 0)


def test_without_them_a_program_is_as_it_was() -> None:
    check(
        """
        before = settings()
        with Ice.initialize(sys.argv) as ice:
            print(sys.argv, settings() == before, ice.findAdminFacet("IceGil"))
        """,
        "--mine",
        "--Ice.Warn.UnusedProperties=1",
        says="['-c', '--mine'] True None\n",
    )


def test_ice_does_not_take_them_for_unused() -> None:
    check(
        "Ice.initialize(sys.argv).destroy()",
        f"--{ENDS_WITHIN}",
        "--IceGil.Mode=auto",
        "--Ice.Warn.UnusedProperties=1",
    )


# --- Who goes before whom -------------------------------------------------------------------------------------------


def test_the_call_goes_before_a_property_and_a_property_before_the_environment() -> None:
    code = """
        icegil.install(**dict.fromkeys(["drain_timeout"] if "call" in sys.argv else [], 7))
        with Ice.initialize(sys.argv):
            print(settings()["drain_timeout"])
    """
    check(code, says="(5.0, 'default')\n")
    check(code, ICEGIL_DRAIN_TIMEOUT="4", says="(4.0, 'environment')\n")
    check(code, f"--{ENDS_WITHIN}", ICEGIL_DRAIN_TIMEOUT="4", says="(3.0, 'properties')\n")
    check(code, f"--{ENDS_WITHIN}", "call", ICEGIL_DRAIN_TIMEOUT="4", says="(7.0, 'call')\n")


def test_a_call_that_comes_later_goes_before_a_property() -> None:
    check(
        """
        with Ice.initialize(sys.argv):
            icegil.install()
            print(settings()["drain_timeout"])
            icegil.install(drain_timeout=1)
            print(settings()["drain_timeout"])
        with Ice.initialize(["program", "--IceGil.DrainTimeout=9"]):
            print(settings()["drain_timeout"])
        """,
        f"--{ENDS_WITHIN}",
        says="(3.0, 'properties')\n(1.0, 'call')\n(1.0, 'call')\n",
    )


def test_of_several_communicators_the_longest_drain_timeout_counts() -> None:
    check(
        """
        for seconds in (2, 3, 1):
            Ice.initialize(["program", f"--IceGil.DrainTimeout={seconds}"]).destroy()
            print(icegil.status().drain_timeout)
        """,
        says="2.0\n3.0\n3.0\n",
    )


def test_the_shutdown_waits_as_long_as_a_property_says() -> None:
    ended = program(
        """
        from _stuck import stick
        ice = Ice.initialize(sys.argv)
        stick(ice)
        sys.exit(3)
        """,
        "--IceGil.DrainTimeout=0.2",
    )
    assert (ended.status, ended.hung) == (3, False)
    assert ended.stderr.startswith("not everything ended within 0.2 s of shutdown")


# --- The mode -------------------------------------------------------------------------------------------------------

SAYS_MODE = """
with Ice.initialize(sys.argv) as ice:
    print(icegil.status().mode, settings()["mode"])
    ice.stringToProxy("x:tcp -h 127.0.0.1 -p 1")
"""


def test_the_first_communicator_decides_on_the_mode() -> None:
    check(SAYS_MODE, "--IceGil.Mode=teardown", says="teardown ('teardown', 'properties')\n")
    check(SAYS_MODE, "--IceGil.Mode=auto", says="guard ('auto', 'properties')\n")
    check(SAYS_MODE, "--IceGil.Mode=guard", says="guard ('guard', 'properties')\n")
    check(SAYS_MODE, "--IceGil.Mode=guard", ICEGIL_MODE="teardown", says="guard ('guard', 'properties')\n")
    check("icegil.install(mode='guard')\n" + SAYS_MODE, "--IceGil.Mode=teardown", says="guard ('guard', 'call')\n")


def test_a_program_ends_well_whose_mode_was_changed_by_a_property() -> None:
    code = """
        from _echo import serve, storm
        ice = Ice.initialize(sys.argv)
        print(icegil.status().mode)
        for future in storm(serve(ice)) if hasattr(Ice, "Future") else ():
            future.result()
        sys.stdout.flush()
    """
    for mode, words, environment in (
        ("teardown", ("--IceGil.Mode=teardown",), {}),
        ("guard", ("--IceGil.Mode=auto",), {"ICEGIL_MODE": "teardown"}),
    ):
        check(code, *words, says=f"{mode}\n", **environment)


def test_a_mode_that_comes_when_others_live_is_not_followed_and_that_is_said() -> None:
    check(
        """
        with Ice.initialize():
            for _ in range(2):
                Ice.initialize(["program", "--IceGil.Mode=teardown"]).destroy()
        print(icegil.status().mode)
        """,
        says="guard\n",
        complains="IceGil.Mode=teardown comes too late: another communicator lives, and the mode stays as it is\n",
    )


# --- The timeline ---------------------------------------------------------------------------------------------------


def test_a_property_has_a_timeline_recorded(tmp_path: Path) -> None:
    file = tmp_path / "timeline.json"
    check("Ice.initialize(sys.argv).destroy()", f"--IceGil.Trace={file}")
    assert json.loads(file.read_text())["traceEvents"]


def test_the_timelines_property_goes_before_the_environment_and_a_call_before_it(tmp_path: Path) -> None:
    ours, theirs, calls = (str(tmp_path / name) for name in ("property.json", "environment.json", "call.json"))
    code = """
        import icegil.trace
        if len(sys.argv) > 2:
            icegil.trace.start(sys.argv.pop())
        Ice.initialize(sys.argv).destroy()
    """
    check(code, f"--IceGil.Trace={ours}", ICEGIL_TRACE=theirs)
    assert "communicator" in Path(ours).read_text()
    check(code, f"--IceGil.Trace={tmp_path / 'never.json'}", calls)
    assert "communicator" in Path(calls).read_text()
    assert not (tmp_path / "never.json").exists()


def test_a_timeline_that_cannot_be_written_is_said_and_the_program_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "timeline.json"
    check(
        "Ice.initialize(sys.argv).destroy()\nprint('well')",
        f"--IceGil.Trace={file}",
        says="well\n",
        complains=f"no timeline: IceGil.Trace={file} cannot be written: No such file or directory\n",
    )


# --- Wrong ones -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("IceGil.DrainTimout", "IceGil.DrainTimeout"),
        ("IceGil.mode", "IceGil.Mode"),
        ("IceGil.Tracing", "IceGil.Trace"),
        ("IceGil.AdminFacet", "IceGil.Admin"),
        ("IceGil.Drain.Timeout", "IceGil.DrainTimeout"),
    ],
)
def test_an_unknown_property_is_said_once_with_the_nearest_that_there_is(name: str, nearest: str) -> None:
    check(
        "for _ in range(3): Ice.initialize(list(sys.argv)).destroy()\nprint(settings()['mode'])",
        f"--{name}=1",
        says="('auto', 'default')\n",
        complains=f"there is no property {name}, and it does nothing; the nearest is {nearest}\n",
    )


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("IceGil.Mode=off", "IceGil.Mode must be one of auto, guard, teardown, not 'off'"),
        ("IceGil.DrainTimeout=soon", "IceGil.DrainTimeout must be a number of seconds, not 'soon'"),
        ("IceGil.DrainTimeout=-1", "IceGil.DrainTimeout must be a number of seconds, not '-1'"),
        ("IceGil.Admin=yes", "IceGil.Admin must be 0 or 1, not 'yes'"),
    ],
)
def test_a_wrong_value_is_said_and_the_program_goes_on_without_it(word: str, complaint: str) -> None:
    check(
        """
        before = settings()
        with Ice.initialize(sys.argv) as ice:
            print(settings() == before, ice.findAdminFacet("IceGil"))
        """,
        f"--{word}",
        says="True None\n",
        complains=f"{complaint}: the property is passed over\n",
    )


def test_what_is_said_goes_to_the_logger_icegil() -> None:
    check(
        """
        import logging
        logging.basicConfig(stream=sys.stdout, format="%(name)s %(levelname)s %(message)s")
        Ice.initialize(sys.argv).destroy()
        """,
        "--IceGil.Traces=1",
        says="icegil WARNING there is no property IceGil.Traces, and it does nothing; the nearest is IceGil.Trace\n",
    )
