"""Waivers from a file of the working tree, or from a protected ref of its repository.

Whoever can change the waivers in the same change as the artifact can excuse himself; `--waivers-from REF` reads them from where only
reviewed changes get to.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from csv_gate.documents import read_typed, read_yaml
from csv_gate.documents.nodes import MAX_BYTES
from csv_gate.errors import ConfigError, ConfigErrors, Place, UsageError
from csv_gate.waivers.model import NO_WAIVERS, WaiverFile

GIT_SECONDS = 30
"""A local object look-up takes milliseconds; beyond this something is broken."""


_GIT_PLACES = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"})
"""Set while a hook runs; they would overrule the folder that is asked about."""
_GIT_QUIET = {"GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


def read_waivers(path: Path) -> WaiverFile:
    """Read a waiver file.

    Raises:
        ConfigErrors: every fault of it, with line and column.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        fault = ConfigError(f"the waiver file can't be read: {error.strerror}", place=Place(path=str(path)))
        raise ConfigErrors([fault]) from error
    return waivers_from(data, str(path))


def waivers_from(data: bytes, path: str) -> WaiverFile:
    """Read the bytes of a waiver file; `path` is for messages. Raises ConfigErrors."""
    try:
        node = read_yaml(data, path)
    except ConfigError as error:
        raise ConfigErrors([error]) from error
    return read_typed(WaiverFile, node)


def read_waivers_at(ref: str, path: Path) -> WaiverFile:
    """Read a waiver file as it is at a git ref. A file that is not there yet excuses nothing.

    Raises:
        UsageError: no git, no repository, no such ref.
        ConfigErrors: faults of the file.
    """
    if not ref or ref.startswith("-") or any(char in ref for char in ":\0\n") or "\0" in path.name:
        raise UsageError("this is no git ref", got=repr(ref[:100]), expected="a branch, tag or commit such as origin/main")
    folder = path.parent.resolve()
    if _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}") is None:
        if _git(folder, "rev-parse", "--git-dir") is None:
            raise UsageError(
                f"git finds no repository at {folder}", help="git may also refuse one of another user (safe.directory)"
            )
        raise UsageError(
            f"the ref {ref!r} is not in the repository of {folder}",
            help="fetch it first; CI systems often clone only the branch that is built",
        )
    entry = f"{ref}:./{path.name}"
    size = _git(folder, "cat-file", "-s", entry)
    if size is None:
        return NO_WAIVERS
    if int(size) > MAX_BYTES:
        place = Place(path=entry)
        raise ConfigErrors([ConfigError("the waiver file is too large", place=place, expected=f"at most {MAX_BYTES} bytes")])
    data = _git(folder, "cat-file", "blob", entry)
    if data is None:
        raise UsageError(f"git can't read {entry}", help="is it a file there?")
    return waivers_from(data, f"{ref}:{path.name}")


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git prints, or `None` where it says no. Never fetches, never asks, never runs a shell."""
    environment = {name: value for name, value in os.environ.items() if name not in _GIT_PLACES} | _GIT_QUIET
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, env=environment, timeout=GIT_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise UsageError("git is needed to read waivers from a ref, and is not installed here") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"git did not answer within {GIT_SECONDS} seconds") from error
    return done.stdout if done.returncode == 0 else None
