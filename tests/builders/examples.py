"""What the documents show, taken out of their Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))
}
MARK = "<!-- runnable -->\n"
_FENCED = re.compile(r"^([ >]*)(```+|~~~+) *(\S*)[^\n]*\n(.*?)^\1\2", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(csv-gate [a-z][^`…]*)`")
_COMMANDS = ("csv-gate ", "pytest ")


@dataclass(frozen=True, kw_only=True)
class Example:
    """One fenced block."""

    page: str
    line: int
    kind: str
    """The word behind the fence."""
    body: str
    is_marked: bool
    """It stands below the mark of those that are run as they are."""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands of a block that holds nothing else; continued lines are one."""
        lines = [line for line in self.body.replace("\\\n", " ").splitlines() if line.strip()]
        alone = self.kind in ("", "text", "sh", "bash", "shell") and all(line.startswith(_COMMANDS) for line in lines)
        return tuple(lines) if alone else ()


def examples() -> Iterator[Example]:
    for page, text in PAGES.items():
        for found in _FENCED.finditer(text):
            yield Example(
                page=page,
                line=text.count("\n", 0, found.start()) + 1,
                kind=found[3],
                body=found[4],
                is_marked=text[: found.start()].endswith(MARK),
            )


def inline_commands() -> Iterator[tuple[str, str]]:
    """(page, command) of every command within a sentence."""
    for page, text in PAGES.items():
        for command in _INLINE.findall(_FENCED.sub("", text)):
            yield page, " ".join(command.split())
