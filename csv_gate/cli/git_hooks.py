"""The pre-push hook of a git repository: where it belongs, and whose it is. Runs git, and nothing else."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from csv_gate.errors import OutputError, Place, UsageError

MARK = "# made by `csv-gate hook install`; `csv-gate hook remove` takes it away"
GIT_SECONDS = 30


def script() -> str:
    """The hook calls the interpreter that installed it: a push from an editor has another PATH."""
    interpreter = shlex.quote(Path(sys.executable).as_posix())
    return f"#!/bin/sh\n{MARK}\nexec {interpreter} -m csv_gate hook run\n"


def install() -> tuple[Path, bool]:
    """Write the hook; returns where, and whether that folder serves more than this repository.

    Raises:
        UsageError: no git, no repository, or a hook of somebody else is there.
        OutputError: the folder cannot be written.
    """
    hook = hook_path()
    if _is_foreign(hook):
        raise UsageError(
            "there is a pre-push hook already, and it is not csv-gate's",
            place=Place(path=str(hook)),
            help="add the line `csv-gate hook run || exit` to it",
        )
    try:
        hook.parent.mkdir(parents=True, exist_ok=True)
        temporary = hook.with_name(f".{hook.name}.{os.getpid()}")
        temporary.write_bytes(script().encode("utf-8"))
        temporary.chmod(0o755)
        temporary.replace(hook)
    except OSError as error:
        raise OutputError("the hook cannot be written", place=Place(path=str(hook)), got=error.strerror) from error
    own = Path(_git("rev-parse", "--git-common-dir")).resolve()
    top = Path(_git("rev-parse", "--show-toplevel")).resolve()
    place = hook.resolve()
    return hook, not (place.is_relative_to(own) or place.is_relative_to(top))


def remove() -> Path | None:
    """Take the hook away; `None` where there is none.

    Raises:
        UsageError: the hook is somebody else's.
    """
    hook = hook_path()
    if not hook.exists():
        return None
    if _is_foreign(hook):
        raise UsageError("the pre-push hook is not csv-gate's, and stays", place=Place(path=str(hook)))
    try:
        hook.unlink()
    except OSError as error:
        raise OutputError("the hook cannot be removed", place=Place(path=str(hook)), got=error.strerror) from error
    return hook


def hook_path() -> Path:
    """Where git looks for the hook; honours `core.hooksPath` and worktrees."""
    return Path(_git("rev-parse", "--git-path", "hooks")) / "pre-push"


def state_path() -> Path:
    """Where the state of the last green run is kept: with git's own files of this worktree."""
    return Path(_git("rev-parse", "--git-path", "csv-gate-green.json"))


def _is_foreign(hook: Path) -> bool:
    if not os.path.lexists(hook):
        return False
    try:
        with hook.open("rb") as file:
            return MARK.encode("utf-8") not in file.read(4096)
    except OSError:
        return True


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, timeout=GIT_SECONDS, check=False)
    except FileNotFoundError as error:
        raise UsageError("git is not installed here, so there is no hook") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"git did not answer within {GIT_SECONDS} seconds") from error
    if done.returncode != 0:
        raise UsageError(
            "git finds no repository here", got=str(Path.cwd()), help="git may also refuse one of another user (safe.directory)"
        )
    return os.fsdecode(done.stdout).removesuffix("\n").removesuffix("\r")
