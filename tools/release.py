"""Says whether a tag may be released: it names the version that icegil has, and the changelog tells of that version."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADING = re.compile(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", re.MULTILINE)


def entries(changelog: str) -> dict[str, str]:
    """What the changelog tells of each version, by its name; what has no version yet is `Unreleased`."""
    _, *parts = HEADING.split(changelog)
    return {name: f"{date or ''}\n{text.strip()}".strip() for name, date, text in zip(*[iter(parts)] * 3, strict=True)}


def problems(tag: str, version: str, changelog: str) -> list[str]:
    """Why this tag may not be released; nothing if it may."""
    found = []
    if tag != f"v{version}":
        found.append(
            f"the tag is {tag}, and pyproject.toml has version {version}: tag v{version}, or change the version"
        )
    told = entries(changelog)
    if not re.match(r"\d{4}-\d\d-\d\d\n", told.get(version, "")):
        found.append(f"CHANGELOG.md has no entry `## [{version}] - YYYY-MM-DD` with something below it: write it")
    if told.get("Unreleased"):
        found.append(f"CHANGELOG.md has lines under [Unreleased]: put them under [{version}], which has them")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Says whether a tag may be released.")
    parser.add_argument("tag", help="v and the version: v0.2.0")
    tag = parser.parse_args().tag
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    found = problems(tag, version, (ROOT / "CHANGELOG.md").read_text())
    for problem in found:
        print(f"release: {problem}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
