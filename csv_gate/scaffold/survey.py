"""Look at a repository: policies, build output, the CI system, owners. Bounded, and nothing that is found is opened beyond its head."""

from __future__ import annotations

import os
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from csv_gate.owners.places import CODEOWNERS
from csv_gate.records import dataclass

MAX_FILES = 50_000
"""A repository may hold a million; what decides a first configuration stands near the top."""
MAX_DEPTH = 8
MAX_FOUND = 20
HEAD_BYTES = 4096
OUTPUT_NAMES = ("artifacts", "bin", "build", "dist", "out", "output", "publish", "release")
CODE_SUFFIXES = frozenset({".exe", ".dll", ".sys", ".msi", ".ocx", ".cpl", ".efi"})
_SKIPPED = frozenset({"node_modules", "__pycache__", "venv", "obj"})


class CiHost(StrEnum):
    """Who runs the builds."""

    GITHUB = "github"
    AZURE = "azure"
    GITLAB = "gitlab"
    JENKINS = "jenkins"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a repository shows. Paths are relative to it, `/` between folders, sorted; names are untrusted."""

    policies: tuple[str, ...]
    """App Control policies, XML or compiled."""
    outputs: tuple[str, ...]
    """Folders that hold Windows code."""
    ci: CiHost
    codeowners: str | None
    """Where GitHub and GitLab look for it."""


def survey(root: Path) -> Survey:
    """Look at the folder. What cannot be read counts as not there."""
    policies: list[str] = []
    outputs: set[str] = set()
    for path in _files(root):
        suffix = Path(path).suffix.lower()
        if suffix in (".xml", ".cip", ".p7b") and len(policies) < MAX_FOUND and _is_policy(root / path, suffix):
            policies.append(path)
        elif suffix in CODE_SUFFIXES and _head(root / path).startswith((b"MZ", b"\xd0\xcf\x11\xe0")):
            outputs.add(_output_folder(path))
    return Survey(
        policies=tuple(sorted(policies)),
        outputs=tuple(sorted(outputs)[:MAX_FOUND]),
        ci=_ci(root),
        codeowners=next((name for name in CODEOWNERS if (root / name).is_file()), None),
    )


def _files(root: Path) -> Iterator[str]:
    """Relative paths of regular files, nearest first; links are not followed."""
    seen = 0
    level = [""]
    for _ in range(MAX_DEPTH):
        below: list[str] = []
        for folder in level:
            try:
                entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in entries:
                seen += 1
                if seen > MAX_FILES:
                    return
                path = f"{folder}/{entry.name}".lstrip("/")
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith(".") and entry.name.lower() not in _SKIPPED:
                        below.append(path)
                elif entry.is_file(follow_symlinks=False):
                    yield path
        level = below


def _is_policy(path: Path, suffix: str) -> bool:
    head = _head(path)
    if suffix == ".xml":
        return b"<SiPolicy" in head or "<SiPolicy".encode("utf-16-le") in head
    # A compiled policy begins with its format's version, or is wrapped in a DER sequence when it is signed.
    return suffix == ".cip" or (path.name.lower() == "sipolicy.p7b" and len(head) > 0)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""


def _output_folder(path: str) -> str:
    """The outermost folder that is called as build outputs are, else the first one; `.` at the top."""
    folders = path.split("/")[:-1]
    for index, name in enumerate(folders):
        if name.lower() in OUTPUT_NAMES:
            return "/".join(folders[: index + 1])
    return folders[0] if folders else "."


def _ci(root: Path) -> CiHost:
    """By the files of each system, then by where the repository was cloned from."""
    signs = (
        (CiHost.GITHUB, (".github/workflows",)),
        (CiHost.AZURE, ("azure-pipelines.yml", "azure-pipelines.yaml", ".azure-pipelines")),
        (CiHost.GITLAB, (".gitlab-ci.yml",)),
        (CiHost.JENKINS, ("Jenkinsfile",)),
    )
    for host, names in signs:
        if any((root / name).exists() for name in names):
            return host
    remote = _head(root / ".git" / "config").lower()
    for host, marks in (
        (CiHost.GITHUB, (b"github.",)),
        (CiHost.AZURE, (b"dev.azure.com", b"visualstudio.com")),
        (CiHost.GITLAB, (b"gitlab.",)),
    ):
        if any(mark in remote for mark in marks):
            return host
    return CiHost.NONE
