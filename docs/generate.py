"""Lay out the pages of the documentation site: `python -m docs.generate`, into build/site.

Written pages are copied under the paths that they have in the repository, so that links between them hold in both places. Pages that say
what the code says are made from the code: checks from the catalogue, settings from the schema, commands from their parsers, the API from
the docstrings. Nothing that is made here is committed.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from docs.reference import api_page, check_index, check_page, commands_page, schema_page

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("README.md", "CHANGELOG.md", "LICENSE", "fixtures/README.md", "benchmarks/README.md")
FIRST = ("quickstart", "how-app-control-decides", "troubleshooting")
"""Guides in the order of reading; others follow by name."""
APART = ("index", "contributing")

Nav = list[Any]


def pages() -> dict[str, bytes]:
    """Every page by its path below the site's root."""
    found = {name: (ROOT / name).read_bytes() for name in COPIED if (ROOT / name).is_file()}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        found[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    _add_linked(found)
    return found | {path: text.encode("utf-8") for path, text in generated()}


def _add_linked(found: dict[str, bytes]) -> None:
    """Add every file of the repository that a page links to, and what that links to in turn."""
    waiting = sorted(found)
    while waiting:
        page = waiting.pop()
        if not page.endswith(".md"):
            continue
        for target in re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", found[page].decode("utf-8")):
            path = (ROOT / page).parent.joinpath(target).resolve()
            if path.is_file() and path.is_relative_to(ROOT) and (name := path.relative_to(ROOT).as_posix()) not in found:
                found[name] = path.read_bytes()
                waiting.append(name)


def generated() -> Iterator[tuple[str, str]]:
    from csv_gate.model.checks import CHECKS

    yield "docs/checks/index.md", check_index()
    for check_id in CHECKS:
        yield f"docs/checks/{check_id}.md", check_page(check_id)
    yield "docs/reference/configuration.md", schema_page("config.schema.json", "Configuration")
    yield "docs/reference/waivers.md", schema_page("waivers.schema.json", "Waivers")
    yield "docs/reference/commands.md", commands_page()
    yield "docs/reference/api.md", api_page()


def navigation(found: Iterable[str]) -> Nav:
    """Every page has its place, also one that was added after this was written."""
    paths = sorted(path for path in found if path.endswith(".md"))
    guides = [path for path in paths if re.fullmatch(r"docs/[^/]+\.md", path) and Path(path).stem not in APART]
    order = {f"docs/{name}.md": number for number, name in enumerate(FIRST)}
    guides.sort(key=lambda path: (order.get(path, len(order)), path))
    checks = [path for path in paths if path.startswith("docs/checks/")]
    nav: Nav = [
        {"csv-gate": "README.md"},
        {"Guides": guides},
        {"In CI": [path for path in paths if path.startswith(("docs/ci/", "ci/"))]},
        {"Checks": ["docs/checks/index.md", *({_check_title(path): path} for path in checks if not path.endswith("index.md"))]},
        {"Reference": [path for path in paths if path.startswith("docs/reference/")]},
        {
            "Internals": [
                "docs/index.md",
                *(path for path in paths if path.startswith("docs/internals/")),
                "docs/contributing.md",
                {"Samples": "fixtures/README.md"},
                {"Benchmarks": "benchmarks/README.md"},
                {"Changelog": "CHANGELOG.md"},
            ]
        },
    ]
    placed = {leaf for section in nav for leaf in _leaves(section)}
    nav.append({"More": [path for path in paths if path not in placed]})
    return [section for section in nav if next(iter(section.values()))]


def _leaves(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    return [leaf for one in (nav.values() if isinstance(nav, dict) else nav) for leaf in _leaves(one)]


def _check_title(path: str) -> str:
    from csv_gate.model.checks import check

    found = check(Path(path).stem)
    return f"{found.id} {found.slug}"


def write(folder: Path) -> None:
    """Lay out pages and configuration below `folder`, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    found = pages()
    for name, content in found.items():
        path = folder / "pages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    settings["nav"] = navigation(found)
    (folder / "mkdocs.yml").write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "site")
