"""Where the content of a member is kept while it is looked at: in memory, or in an unnamed temporary file beyond a bound.

The file never has a name where the system allows it, is readable by this user alone, and is gone when it is closed or the process ends,
however it ends.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from contextlib import suppress
from typing import IO

from csv_gate.containers.budget import Budget
from csv_gate.containers.member import Content
from csv_gate.errors import ArtifactError, LimitError


class Kept:
    """The content of one member. Close it."""

    def __init__(self, content: Content, budget: Budget, file: IO[bytes] | None) -> None:
        self.content = content
        self._budget = budget
        self._file = file
        if file is None:
            budget.held_bytes += len(content)

    def close(self) -> None:
        """Give memory or file back. Views on a mapping that are still alive keep it until they go."""
        if self._file is None:
            self._budget.held_bytes -= len(self.content)
            self.content = b""
            return
        if isinstance(self.content, mmap.mmap):
            with suppress(BufferError):
                self.content.close()
        self._file.close()


def _unnamed_file() -> IO[bytes]:
    import tempfile  # few members are so large

    return tempfile.TemporaryFile(prefix="csv-gate-")


def keep(pieces: Iterable[bytes], budget: Budget) -> Kept:
    """Gather the pieces of a member.

    Raises:
        LimitError: it is larger than `max_member_bytes`.
        ArtifactError: of the pieces; or the temporary file cannot be written.
    """
    parts: list[bytes] = []
    size = 0
    file: IO[bytes] | None = None
    room = budget.limits.max_member_memory_bytes - budget.held_bytes
    try:
        for piece in pieces:
            size += len(piece)
            if size > budget.limits.max_member_bytes:
                raise LimitError(
                    "the member is too large (max_member_bytes)", expected=f"at most {budget.limits.max_member_bytes} bytes"
                )
            if file is None and size > room:
                file = _unnamed_file()
                file.writelines(parts)
                parts = []
            if file is None:
                parts.append(piece)
            else:
                file.write(piece)
        if file is None:
            return Kept(b"".join(parts), budget, None)
        file.flush()
        return Kept(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ), budget, file)
    except OSError as error:
        if file is not None:
            file.close()
        raise ArtifactError(
            f"the temporary file for a member cannot be written: {error.strerror or type(error).__name__}",
            help="make room, or name another folder in TMPDIR",
        ) from error
    except BaseException:
        if file is not None:
            file.close()
        raise
