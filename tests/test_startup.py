"""`ICEGIL=1` guards each Python process that imports Ice, however it was started, and disturbs none that does not."""

import json
import os
import shutil
import sys
import zipapp
from pathlib import Path
from unittest.mock import Mock

import pytest
from conftest import RUNS

import icegil
from icegil.commands import on_path
from icegil.commands.torture.catalogue import SCENARIOS, read
from icegil.commands.torture.endings import Ending, run, shortfall

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))

import installed

WITHIN = 60  # seconds
GUARD = "guard" if icegil.install() and icegil.status().mode == "guard" else "teardown"
icegil.uninstall()
HAS_START_FILES = sys.version_info >= (3, 15)

PACKAGES = os.pathsep.join(each for each in sys.path if "packages" in each)
MODE = "import sys, Ice; print(sys.modules['icegil'].status().mode if 'icegil' in sys.modules else 'plain')"
"""Says whether Ice is guarded. Imports it, and nothing of icegil."""


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    installed.make(folder)
    return folder


@pytest.fixture
def python(environment: Path) -> str:
    return str(environment / "bin" / "python")


def start(words: list[str], folder: str = "/", **variables: str) -> Ending:
    """How a program ends whose environment is that of a user who has icegil installed: nothing leads to this tree."""
    base = {name: value for name, value in os.environ.items() if not name.startswith(("ICEGIL", "PYTHONPATH"))}
    script = ["env", "-i", "-C", folder, *(f"{name}={value}" for name, value in {**base, **variables}.items()), *words]
    return run(script, WITHIN, {})


def said(ending: Ending) -> tuple[int, str, str]:
    return ending.status, ending.stdout, ending.stderr


# ---- one process


def test_a_process_that_asks_is_guarded(python: str) -> None:
    assert said(start([python, "-c", MODE], ICEGIL="1")) == (0, f"{GUARD}\n", "")


@pytest.mark.parametrize("variables", [{}, {"ICEGIL": ""}, {"ICEGIL": "0"}], ids=str)
def test_a_process_that_does_not_ask_is_plain(variables: dict[str, str], python: str) -> None:
    assert said(start([python, "-c", MODE], **variables)) == (0, "plain\n", "")


def test_a_process_that_does_not_ask_imports_nothing(python: str) -> None:
    program = "import sys; print([name for name in sys.modules if name.startswith('icegil')])"
    expected = "['icegil_startup']\n" if HAS_START_FILES else "[]\n"
    assert said(start([python, "-c", program])) == (0, expected, "")


def test_a_process_that_asks_and_has_no_use_for_ice_imports_no_icegil(python: str) -> None:
    program = "import sys; print('icegil' in sys.modules, 'Ice' in sys.modules)"
    assert said(start([python, "-c", program], ICEGIL="1")) == (0, "False False\n", "")


@pytest.mark.parametrize("options", [["-I"], ["-E"], ["-s"], ["-B"], ["-X", "dev"], ["-OO"]], ids=str)
def test_options_of_python_do_not_matter(options: list[str], python: str) -> None:
    status, stdout, _ = said(start([python, *options, "-c", MODE], ICEGIL="1"))  # -X dev: Ice has deprecated things
    assert (status, stdout) == (0, f"{GUARD}\n")


def test_without_site_python_reads_no_such_files(python: str, environment: Path) -> None:
    ending = start([python, "-S", "-c", MODE], ICEGIL="1", PYTHONPATH=PACKAGES)
    assert said(ending) == (0, "plain\n", "")


def test_a_zip_application_is_guarded(python: str, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "__main__.py").write_text(MODE)
    zipapp.create_archive(tmp_path / "source", tmp_path / "app.pyz")
    assert said(start([python, str(tmp_path / "app.pyz")], ICEGIL="1")) == (0, f"{GUARD}\n", "")


def test_the_settings_are_those_of_the_environment(python: str) -> None:
    program = "import Ice, icegil; s = icegil.status(); print(s.mode, s.drain_timeout)"
    ending = start([python, "-c", program], ICEGIL="1", ICEGIL_MODE="teardown", ICEGIL_DRAIN_TIMEOUT="2.5")
    assert said(ending) == (0, "teardown 2.5\n", "")


def test_the_hook_goes_away_and_leaves_ice_as_it_is(python: str) -> None:
    program = """
import sys
before = [type(each).__name__ for each in sys.meta_path]
import Ice
after = [type(each).__name__ for each in sys.meta_path]
print(before[0], before[1:] == after, type(Ice.__loader__).__name__ == type(Ice.__spec__.loader).__name__)
print("_Loader" in (type(Ice.__loader__).__name__, type(Ice.__spec__.loader).__name__))
"""
    assert said(start([python, "-c", program], ICEGIL="1")) == (0, "_Waiting True True\nFalse\n", "")


@pytest.mark.parametrize("first", ["from icegil import Ice", "import icegil; icegil.install()", "import icegil, Ice"])
def test_a_program_that_names_icegil_is_guarded_once(first: str, python: str) -> None:
    program = f"{first}\nimport sys, Ice, icegil; print(icegil.status().mode, type(sys.meta_path[0]).__name__)"
    status, stdout, stderr = said(start([python, "-c", program], ICEGIL="1"))
    assert (status, stdout.split()[0], stderr) == (0, GUARD, "")
    assert "_Waiting" not in stdout


def test_a_thread_may_be_the_one_that_imports_ice(python: str) -> None:
    program = (
        f"import threading\nthread = threading.Thread(target=exec, args=[{MODE!r}])\nthread.start(); thread.join()"
    )
    assert said(start([python, "-c", program], ICEGIL="1")) == (0, f"{GUARD}\n", "")


def test_threads_that_import_ice_at_once_all_find_it_guarded(python: str) -> None:
    program = f"""
import threading
barrier = threading.Barrier(8)
def body():
    barrier.wait()
    exec({MODE!r}, {{}})
threads = [threading.Thread(target=body) for _ in range(8)]
[each.start() for each in threads]
[each.join() for each in threads]
"""
    status, stdout, stderr = said(start([python, "-c", program], ICEGIL="1"))
    assert (status, stdout.count(GUARD), stderr) == (0, 8, "")


def test_an_import_that_only_a_handler_at_exit_makes_is_no_error(python: str) -> None:
    program = """
import atexit

@atexit.register
def late():
    import Ice
    Ice.initialize([]).destroy()
    print("made")
"""
    assert said(start([python, "-c", program], ICEGIL="1")) == (0, "made\n", "")


def test_looking_for_ice_does_not_import_it(python: str) -> None:
    program = f"import importlib.util, sys; importlib.util.find_spec('Ice'); print('icegil' in sys.modules)\n{MODE}"
    assert said(start([python, "-c", program], ICEGIL="1")) == (0, f"False\n{GUARD}\n", "")


# ---- what is wrong must not keep Python from starting


def test_a_program_runs_plain_and_says_so_where_a_setting_is_wrong(python: str) -> None:
    status, stdout, stderr = said(start([python, "-c", "import Ice; print(1)"], ICEGIL="1", ICEGIL_MODE="gaurd"))
    assert (status, stdout, stderr.count("\n")) == (0, "1\n", 1)
    assert stderr.startswith("icegil: this process is not guarded: ICEGIL_MODE must be one of ")


def test_a_value_that_means_nothing_is_said(python: str) -> None:
    ending = start([python, "-c", MODE], ICEGIL="yes")
    assert said(ending) == (0, "plain\n", "icegil: ICEGIL must be 1 or 0, not 'yes'\n")


def test_an_icegil_that_is_broken_costs_one_line(environment: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(environment, broken, symlinks=True)
    (installed.packages(broken) / "icegil.py").write_text("raise SyntaxError('half of a file\\nand more')")
    ending = start([str(broken / "bin" / "python"), "-c", "import Ice; print(1)"], ICEGIL="1")
    assert said(ending) == (0, "1\n", "icegil: this process is not guarded: half of a file\n")


def test_an_ice_that_cannot_be_imported_raises_what_it_raises_plain(python: str, tmp_path: Path) -> None:
    (tmp_path / "Ice.py").write_text("raise ImportError('no libssl')")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    program += "for _ in range(2):\n try:\n  import Ice\n except ImportError as error:\n  print(error)\n"
    program += f"del sys.path[0]\nsys.path_importer_cache.clear()\n{MODE}"
    assert said(start([python, "-c", program], ICEGIL="1")) == (0, f"no libssl\nno libssl\n{GUARD}\n", "")


def test_a_module_of_that_name_that_is_no_ice_is_let_alone(python: str, tmp_path: Path) -> None:
    (tmp_path / "Ice.py").write_text("cold = True")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import Ice; print(Ice.cold)"
    status, stdout, stderr = said(start([python, "-c", program], ICEGIL="1"))
    assert (status, stdout, stderr.count("\n")) == (0, "True\n", 1)
    assert stderr.startswith("icegil: this process is not guarded: ")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root may run a program as somebody else")
def test_a_process_with_the_rights_of_another_does_not_follow_the_environment(python: str) -> None:
    program = f"import os, sys; os.setresgid(65534, 0, 0); os.execv(sys.executable, [sys.executable, '-c', {MODE!r}])"
    status, stdout, stderr = said(start([python, "-c", program], ICEGIL="1"))
    assert (status, stdout) == (0, "plain\n")
    assert stderr.startswith("icegil: ICEGIL is not followed in a process with the rights of another user")


def test_doctor_says_whether_this_python_follows_the_variable(environment: Path, tmp_path: Path) -> None:
    for follows in (True, False):
        doctor = [str(environment / "bin" / "python"), "-m", "icegil", "doctor"]
        assert json.loads(start([*doctor, "--json"]).stdout)["follows_variable"] == follows
        assert ("guards each process of this Python" in start(doctor).stdout) == follows
        if follows:
            environment = Path(shutil.copytree(environment, tmp_path / "copy", symlinks=True))
            for startup in installed.packages(environment).glob("icegil.*"):
                startup.unlink()


# ---- the processes that a program starts

CHILD = {
    "subprocess": "import subprocess, sys; subprocess.run([sys.executable, '-c', MODE], check=True)",
    "isolated": "import subprocess, sys; subprocess.run([sys.executable, '-I', '-c', MODE], check=True)",
    "exec": "import os, sys; os.execv(sys.executable, [sys.executable, '-c', MODE])",
    "spawn": "run('spawn')",
    "forkserver": "run('forkserver')",
    "fork": "run('fork')",
}
STARTS_CHILD = """
import multiprocessing
MODE = {mode!r}
def run(method):
    child = multiprocessing.get_context(method).Process(target=exec, args=[MODE])
    child.start()
    child.join()
    raise SystemExit(child.exitcode)
if __name__ == "__main__":
    {how}
"""


@pytest.mark.parametrize("how", CHILD)
@pytest.mark.parametrize("way", ["variable", "icegil run", "icegil run --no-children"])
def test_a_process_that_a_program_starts_is_guarded_too(how: str, way: str, python: str, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(STARTS_CHILD.format(mode=MODE, how=CHILD[how]))
    words = [python, str(tmp_path / "program.py")]
    ending = start(words, ICEGIL="1") if way == "variable" else start([python, "-m", *way.split(), words[1]])
    # A forked child has what its parent has.
    expected = "plain" if way == "icegil run --no-children" and how != "fork" else GUARD
    assert said(ending) == (0, f"{expected}\n", "")


STARTS_PROGRAM_WITH_POOL = """
import subprocess, sys
sys.exit(subprocess.run([sys.executable, {program!r}]).returncode)
"""
POOL = """
import concurrent.futures, multiprocessing, sys

def work(number):
    import Ice
    from _echo import Echo, communicator, serve, storm
    ice = communicator()
    storm(serve(ice, Echo()), 20)  # under way when the process ends
    return sys.modules["icegil"].status().mode

def end(number):
    work(number)
    sys.exit(number)

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        print(*pool.map(work, range(6)))
    children = [context.Process(target=end, args=[number]) for number in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    print(*[child.exitcode for child in children])
    sys.exit(7)
"""


def test_a_pool_of_a_program_of_a_program_is_guarded_and_keeps_its_statuses(python: str, tmp_path: Path) -> None:
    (tmp_path / "pool.py").write_text(POOL)
    (tmp_path / "outer.py").write_text(STARTS_PROGRAM_WITH_POOL.format(program=str(tmp_path / "pool.py")))
    for _ in range(RUNS):
        ending = start([python, str(tmp_path / "outer.py")], ICEGIL="1", PYTHONPATH=str(SCENARIOS))
        assert said(ending) == (7, f"{' '.join([GUARD] * 6)}\n0 1 2\n", "")


@pytest.mark.parametrize("name", ["never_destroyed", "done_callbacks", "daemon_threads_return"])
def test_a_program_that_falls_short_plain_ends_well_with_the_variable(name: str, python: str) -> None:
    path = SCENARIOS / f"{name}.py"
    scenario = read(path)
    if scenario.drain is not None or GUARD != "guard":
        pytest.skip("it needs more than the variable")
    for _ in range(RUNS):
        ending = start([python, str(path)], ICEGIL="1")
        assert not shortfall(ending, scenario), ending


# ---- reports and timelines, one for each process


def test_each_process_says_which_report_is_its_own(python: str, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(STARTS_CHILD.format(mode=MODE, how=CHILD["subprocess"]))
    ending = start([python, "-m", "icegil", "run", "--report", str(tmp_path / "program.py")])
    first, _, second = ending.stderr.partition("icegil: ")
    assert (ending.status, first.startswith("icegil (process ")) == (0, True), ending
    assert "communicators made" in first and "communicators made" in second


@pytest.mark.skipif(GUARD != "guard", reason="there is no timeline without the extension")
def test_each_process_has_a_timeline_of_its_own(python: str, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(STARTS_CHILD.format(mode=MODE, how=CHILD["subprocess"]))
    file = tmp_path / "timeline.json"
    ending = start([python, "-m", "icegil", "run", "--trace", str(file), str(tmp_path / "program.py")])
    assert said(ending) == (0, f"{GUARD}\n", "")
    names = sorted(each.name for each in tmp_path.glob("*.json"))
    assert len(names) == 2 and "timeline.json" in names, names
    (other,) = {*names} - {"timeline.json"}
    assert other.split(".")[1].isdigit()


# ---- commands


def test_a_command_on_path_is_run_as_itself(environment: Path, python: str) -> None:
    command = installed.add_command(environment, "my-server", f"{MODE}; print(sys.argv); sys.exit(3)")
    path = f"{environment}/bin{os.pathsep}{os.environ['PATH']}"
    ending = start([python, "-m", "icegil", "run", "my-server", "--bind", "x"], PATH=path)
    assert said(ending) == (3, f"{GUARD}\n{[str(command), '--bind', 'x']}\n", "")


def test_a_command_with_the_first_lines_of_a_long_path_is_found(environment: Path, python: str) -> None:
    lines = f"#!/bin/sh\n'''exec' \"{environment}/bin/python\" \"$0\" \"$@\"\n' '''"
    installed.add_command(environment, "far-away", MODE, lines)
    path = f"{environment}/bin{os.pathsep}{os.environ['PATH']}"
    assert said(start([python, "-m", "icegil", "run", "far-away"], PATH=path)) == (0, f"{GUARD}\n", "")


def test_a_file_in_the_current_directory_goes_before_a_command(environment: Path, python: str, tmp_path: Path) -> None:
    installed.add_command(environment, "both", "print('command')")
    (tmp_path / "both").write_text("print('file')")
    path = f"{environment}/bin{os.pathsep}{os.environ['PATH']}"
    assert said(start([python, "-m", "icegil", "run", "both"], str(tmp_path), PATH=path)) == (0, "file\n", "")


def test_a_command_that_python_does_not_run_is_refused_with_what_to_type(python: str) -> None:
    status, _, stderr = said(start([python, "-m", "icegil", "run", "ls", "/"]))
    assert status == 2
    assert "is no Python program; ICEGIL=1 ls ... guards the Python processes it starts" in stderr


def test_a_command_that_may_be_executed_and_not_read_is_no_python_program(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command = tmp_path / "private"
    command.touch(0o111)
    if os.access(command, os.R_OK):  # root reads everything
        monkeypatch.setattr("builtins.open", Mock(side_effect=PermissionError))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(on_path.NotOfThisPython, match="private is no Python program"):
        on_path.find("private")


def test_a_command_of_another_python_is_refused_with_its_name(environment: Path, python: str) -> None:
    installed.add_command(environment, "elsewhere", "", "#!/nowhere/bin/python3")
    path = f"{environment}/bin{os.pathsep}{os.environ['PATH']}"
    status, _, stderr = said(start([python, "-m", "icegil", "run", "elsewhere"], PATH=path))
    assert status == 2
    assert "is run by /nowhere/bin/python3, not by " in stderr


def test_a_word_that_is_neither_is_what_python_says_it_is(python: str) -> None:
    status, _, stderr = said(start([python, "-m", "icegil", "run", "no-such-thing"]))
    assert status == 2
    assert "can't open file" in stderr
