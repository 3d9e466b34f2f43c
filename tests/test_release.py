"""What has to hold before a version is published: the tag, the version and the changelog agree."""

import re
from pathlib import Path

import pytest

import icegil
from tools.release import entries, problems

ROOT = Path(__file__).parents[1]
CHANGELOG = """# Changes

## [Unreleased]

## [1.2.0] - 2026-11-28

### Added

- Something.

## [1.1.0] - 2026-11-22

First.
"""


def test_a_version_is_told_of_with_its_day() -> None:
    assert entries(CHANGELOG) == {
        "Unreleased": "",
        "1.2.0": "2026-11-28\n### Added\n\n- Something.",
        "1.1.0": "2026-11-22\nFirst.",
    }


def test_a_tag_that_names_the_version_is_released() -> None:
    assert problems("v1.2.0", "1.2.0", CHANGELOG) == []


@pytest.mark.parametrize(
    ("tag", "version", "changelog", "said"),
    [
        ("v1.1.0", "1.2.0", CHANGELOG, "the tag is v1.1.0, and pyproject.toml has version 1.2.0"),
        ("1.2.0", "1.2.0", CHANGELOG, "tag v1.2.0"),
        ("v1.3.0", "1.3.0", CHANGELOG, "no entry `## [1.3.0] - YYYY-MM-DD`"),
        ("v1.2.0", "1.2.0", CHANGELOG.replace(" - 2026-11-28", ""), "no entry `## [1.2.0] - YYYY-MM-DD`"),
        ("v1.1.0", "1.1.0", CHANGELOG.replace("First.", ""), "no entry `## [1.1.0] - YYYY-MM-DD`"),
        (
            "v1.2.0",
            "1.2.0",
            CHANGELOG.replace("\n\n## [1.2.0]", "\n\n- More.\n\n## [1.2.0]"),
            "lines under [Unreleased]",
        ),
    ],
)
def test_one_that_does_not_is_refused_with_what_to_do(tag: str, version: str, changelog: str, said: str) -> None:
    (problem,) = problems(tag, version, changelog)
    assert said in problem


def test_the_changelog_tells_of_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert list(entries(changelog))[:2] == ["Unreleased", icegil.__version__]


def test_the_workflows_run_pairs_that_there_are() -> None:
    listed = re.search(r"^ +pair: \[(.+)\]$", (ROOT / ".github/workflows/tests.yml").read_text(), re.MULTILINE)
    assert listed is not None
    known = (ROOT / "tools/matrix.py").read_text()
    assert [pair for pair in re.findall(r"[\w.-]+", listed[1]) if f'"{pair}"' not in known] == []
