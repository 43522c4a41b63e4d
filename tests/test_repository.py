"""The repository as a whole: what it says of itself agrees, and it names no machine that it was made on."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import csv_gate
from csv_gate.model.checks import CHECKS, page

ROOT = Path(__file__).parent.parent
LOCKS = sorted((ROOT / "locks").glob("*.lock"))

# Written so that this file does not hold the words that it looks for.
MACHINE_PATHS = re.compile(r"(?<![\w.-])/(?:roo[t]|wor[k]|tmp/w[t]|tmp/ven[v])/")
INDEX_HOSTS = re.compile(r"pypi\.or[g]|pythonhoste[d]|npmjs\.or[g]|deb\.debia[n]|index-ur[l][ =]|find-link[s][ =]")
PRIVATE_NOTES = re.compile(r"appcontrol-spe[c]|signature-format[s] \d|linux-integrity-spe[c]|peer-measurement[s]|issue #\d")

ALLOWED = {
    "docs/contributing.md": "tells how the locks are made",
}


@cache
def tracked_texts() -> dict[str, str]:
    """Every tracked text file by its path."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    texts = {}
    for path in filter(None, listed.split("\0")):
        if (ROOT / path).is_file() and b"\0" not in (content := (ROOT / path).read_bytes()):
            texts[path] = content.decode("utf-8", "replace")
    return texts


def offences(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:120]}"
        for path, text in tracked_texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_folder_of_the_machine_it_was_written_on() -> None:
    assert offences(MACHINE_PATHS) == []


def test_no_file_names_the_address_of_a_package_index() -> None:
    assert [found for found in offences(INDEX_HOSTS) if found.split(":")[0] not in ALLOWED] == []


def test_no_file_cites_a_paper_that_readers_cannot_have() -> None:
    assert offences(PRIVATE_NOTES) == []


def test_every_check_has_a_page_with_all_sections() -> None:
    for check_id in CHECKS:
        text = page(check_id)

        assert all((text.what, text.why, text.mend)), check_id


def test_every_page_belongs_to_a_check() -> None:
    pages = {path.stem for path in (ROOT / "csv_gate/model/checks/pages").glob("*.md")}

    assert pages == set(CHECKS)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_every_package_with_hashes(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip())

    for entry in entries:
        assert re.match(r"[\w.-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def locked(name: str) -> dict[str, str]:
    pins = re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / "locks" / name).read_text(encoding="utf-8"), re.MULTILINE)
    return {canonicalize_name(package): version for package, version in pins}


@pytest.mark.parametrize("lock", ["run.lock", "dev.lock", "build.lock"])
def test_the_locks_hold_what_the_project_asks_for(lock: str) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project, groups = settings["project"], settings["dependency-groups"]
    optional = [line for extra in project["optional-dependencies"].values() for line in extra]
    wanted = {
        "run.lock": project["dependencies"],
        "dev.lock": [*project["dependencies"], *optional, *groups["build"], *groups["dev"]],
        "build.lock": groups["build"],
    }
    pins = locked(lock)

    for line in wanted[lock]:
        if isinstance(line, str):
            requirement = Requirement(line)
            assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), line


def test_the_run_time_lock_is_part_of_the_developers_lock() -> None:
    assert locked("run.lock").items() <= locked("dev.lock").items()


def test_the_build_system_is_what_the_build_group_names() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert settings["build-system"]["requires"] == settings["dependency-groups"]["build"]


def test_the_newest_entry_of_the_changelog_is_this_version() -> None:
    versions = re.findall(r"^## \[?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert versions[0] == csv_gate.__version__


def test_links_between_the_documents_lead_somewhere() -> None:
    broken = []
    for path, text in tracked_texts().items():
        if not path.endswith(".md"):
            continue
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text):
            if not (ROOT / path).parent.joinpath(target).exists():
                broken.append(f"{path} -> {target}")

    assert broken == []
