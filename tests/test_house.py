"""How the package is built, read from its sources: who may know whom, and that a file has one subject."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from children import python
from conftest import check_endings

from icegil.commands.torture import catalogue
from icegil.commands.torture.catalogue import read

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "icegil"
FRONT_DOOR = "icegil"
COMMANDS = "icegil.commands"
LONGEST = 300  # lines


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_command(name: str) -> bool:
    return f"{name}.".startswith(f"{COMMANDS}.")


# The scenarios are users' programs: they come in by the front door, if they know icegil at all.
MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py")) if path.parent.name != "scenarios"}
BEHIND_THE_DOOR = sorted(MODULES.keys() - {FRONT_DOOR})
FACADE = [name for name in BEHIND_THE_DOOR if not is_command(name) and name != "icegil.__main__"]


def statements(tree: ast.AST, at_import_only: bool) -> Iterator[ast.AST]:
    """What stands in a module, with all that is nested in it; without what its import alone does not run, if asked."""
    for node in ast.iter_child_nodes(tree):
        if at_import_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if at_import_only and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from statements(node, at_import_only)


def imported(source: str, at_import_only: bool = False) -> Iterator[str]:
    """The modules of icegil that a module imports, by their full names. The front door is one of them."""
    for node in statements(ast.parse(source), at_import_only):
        if isinstance(node, ast.Import):
            for alias in node.names:
                # `import icegil.guard` without a name of its own gives the front door.
                yield alias.name if alias.asname else alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a module is named in full"
            for alias in node.names:
                below = f"{node.module}.{alias.name}"
                yield below if below in MODULES and node.module != FRONT_DOOR else node.module or ""
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "importlib.import_module":
            yield ast.literal_eval(node.args[0])


def neighbours(name: str, at_import_only: bool = False) -> set[str]:
    found = imported(MODULES[name].read_text(), at_import_only)
    return {each for each in found if each.partition(".")[0] == FRONT_DOOR}


def test_imports_are_told_apart() -> None:
    source = """
import importlib
import icegil.guard as guard
from icegil.commands import screen
from icegil.errand import Errand
if TYPE_CHECKING:
    from icegil.views import Status
def later():
    import icegil.trace
    from icegil import status
    importlib.import_module("icegil.views")
"""
    at_import = ["importlib", "icegil.guard", "icegil.commands.screen", "icegil.errand"]
    assert list(imported(source, at_import_only=True)) == at_import
    assert list(imported(source)) == [*at_import, "icegil.views", "icegil", "icegil", "icegil.views"]


@pytest.mark.parametrize("name", BEHIND_THE_DOOR)
def test_a_module_imports_its_neighbour_and_not_the_front_door(name: str) -> None:
    assert FRONT_DOOR not in neighbours(name)


@pytest.mark.parametrize("name", [FRONT_DOOR, *FACADE])
def test_nothing_in_the_facade_knows_a_command(name: str) -> None:
    assert not {each for each in neighbours(name) if is_command(each)}


def test_there_are_no_import_circles() -> None:
    graph = {name: neighbours(name, at_import_only=True) for name in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" is imported by ".join(error.args[1]))


def test_a_program_loads_no_command() -> None:
    code = "import sys, icegil; icegil.install(); icegil.trace; icegil.status(); icegil.snapshot()\n"
    code += "print([name for name in sys.modules if name.startswith('icegil.commands')])"
    assert python("-c", code).stdout == "[]\n"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_file_has_one_subject_and_says_so_in_its_first_line(name: str) -> None:
    source = MODULES[name].read_text()
    assert source.startswith('"""') and source.partition("\n")[0] != '"""'
    assert source.count("\n") < LONGEST


PAGE = (ROOT / "CONTRIBUTING.md").read_text()


def test_the_list_of_folders_names_what_is_there() -> None:
    folders = PAGE.partition("```\n")[2].partition("```\n")[0]
    files = [
        *(ROOT / "include/icegil").glob("*.hpp"),
        *PACKAGE.glob("*.py"),
        *(PACKAGE / "commands").glob("[!_]*.py"),
        ROOT / "icegil_startup.py",
        PACKAGE / "_bridge.pyx",
        PACKAGE / "_bridge_anywhere.pyx",
        PACKAGE / "bridge/interpreter.pxd",
        PACKAGE / "bridge/posix.pxd",
    ]
    said = re.findall(r"\b\w+\.(?:hpp|pyx?|pxd)\b", folders)
    assert sorted({*said}) == sorted(path.name for path in files if path.name != "__main__.py")
    subjects = {path.stem for path in (PACKAGE / "bridge").glob("*.pxi")}
    assert subjects <= set(re.findall(r"\w+", folders.partition("bridge/*.pxi")[2].partition("bridge/*.pxd")[0]))


def test_each_of_the_ten_questions_is_answered_by_a_file() -> None:
    rows = re.findall(r"^\| (.+\?) \| (.+) \|$", PAGE.partition("## Ten questions")[2], re.MULTILINE)
    answers = [re.findall(r"`([\w./]+)`", answer) for _, answer in rows]
    assert len(answers) == 10 and all(answers)
    assert not [path for answer in answers for path in answer if not (ROOT / path).is_file()]


def test_the_example_of_a_scenario_is_one(tmp_path: Path) -> None:
    example = tmp_path / "daemon_thread_pings.py"
    example.write_text(PAGE.partition("```python\n")[2].partition("```")[0])
    check_endings(read(example), guarded=True)


def test_the_fields_of_a_scenario_are_all_explained() -> None:
    table = PAGE.partition("| field |")[2].partition("\n\n")[0]
    described = re.findall(r"^    (\w+): ", catalogue.__doc__ or "", re.MULTILINE)
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == described
