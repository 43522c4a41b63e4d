"""Where kept facts lie, by each platform's convention.

Sources: XDG Base Directory Specification (`XDG_CACHE_HOME`, absolute paths only); Apple, File System Programming Guide (`Library/Caches`);
Microsoft, Known Folders (`LOCALAPPDATA`).
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "CSV_GATE_CACHE_DIR"


def cache_folder(environment: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """The folder, which need not exist; `None`: the environment names no place for it."""
    if named := environment.get(VARIABLE):
        return Path(named)
    if platform == "win32":
        local = environment.get("LOCALAPPDATA")
        return Path(local) / "csv-gate" / "Cache" if local else None
    home = environment.get("HOME")
    if platform == "darwin":
        return Path(home) / "Library" / "Caches" / "csv-gate" if home else None
    given = environment.get("XDG_CACHE_HOME", "")
    if given.startswith("/"):
        return Path(given) / "csv-gate"
    return Path(home) / ".cache" / "csv-gate" if home else None


def is_private(folder: Path) -> bool:
    """Whether nobody but this user can write to a folder that exists. Windows keeps user profiles private by itself."""
    if not hasattr(os, "getuid"):
        return folder.is_dir()
    status = folder.lstat()
    shared = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not shared
