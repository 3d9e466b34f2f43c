"""Checks the links of a built site: each one that stays on it leads to a file, and to an anchor that is there.

Links to other hosts are not followed: what they answer is not the site's doing. Needs Python and its standard library.
Exit status 1: a link leads nowhere.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The anchors of a page, and where it links to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif name in ("href", "src", "data") and value:
                self.links.add(value)


def check(site: Path) -> tuple[int, list[str]]:
    """How many links were followed, and what is wrong with some of them."""
    pages = {path: Page(path) for path in sorted(site.rglob("*.html"))}
    followed, wrong = 0, []
    for path, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            followed += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            here = path.relative_to(site)
            if not target.is_file():
                wrong.append(f"{here}: {link} leads to no file")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                wrong.append(f"{here}: {link} leads to no anchor")
    return followed, wrong


def main() -> int:
    site = Path(sys.argv[1]).resolve()
    followed, wrong = check(site)
    for line in wrong:
        print(line, file=sys.stderr)
    if not followed:
        print(f"{site}: there is no link; make the site first: make docs", file=sys.stderr)
        return 1
    print(f"{followed} links within the site followed, {len(wrong)} of them lead nowhere; links to other hosts: not")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
