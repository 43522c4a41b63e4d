"""A listed file and its bytes: handed out bounded, and without following a link that was put in its place.

A file up to `COPIED_BYTES` is copied into memory: a snapshot that nobody can cut short while it is parsed. A larger one is mapped.
Whether the file changed while it was looked at is asked at the end: facts of a moving file would be facts of no file.
"""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from operator import attrgetter

from csv_gate.errors import ArtifactError, LimitError
from csv_gate.limits import MIB, Limits
from csv_gate.records.rows import NamedTuple

Content = bytes | mmap.mmap

COPIED_BYTES = 64 * MIB
"""Cutting a mapped file short kills the process that reads it (SIGBUS); below this size the copy costs less than hashing does."""

HEAD_BYTES = 4096
"""What formats are recognised by."""

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)  # a link here was not here when the folder was listed
    | getattr(os, "O_NONBLOCK", 0)  # a pipe in the file's place must not hang the run
)


class FileIdentity(NamedTuple):
    """What tells that a file is still the one that was listed. A tuple, since every file has one at every look."""

    device: int
    inode: int
    size: int
    """Bytes."""
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileIdentity:
        return tuple.__new__(cls, _told_by(status))


_told_by = attrgetter("st_dev", "st_ino", "st_size", "st_mtime_ns", "st_ctime_ns")
"""The fields of `FileIdentity`, in its order."""


class Entry(NamedTuple):
    """One file to look at, or one place that could not be looked into. A tuple, since a tree has a great many."""

    path: str
    """As reports show it: the given path and what was found below it, `/` between folders."""
    scope: str
    """The path that patterns are matched with: below the run's base folder, else below the given folder."""
    location: str
    """What to open; differs from `path` for links."""
    identity: FileIdentity | None = None
    is_included: bool = True
    """False: no include pattern names it, but one may name something inside it, if it is a container."""
    gap: str | None = None
    """Why it cannot be read."""
    beside: tuple[Entry, ...] = ()
    """Files in the same folder that, by their names, hold detached signatures of this one. Patterns do not take them away."""
    is_alone: bool = False
    """It is named as a detached signature, and the file that it would sign is not beside it."""

    @property
    def size(self) -> int:
        return self.identity.size if self.identity else 0

    @property
    def is_folder(self) -> bool:
        """A folder that could not be listed: anything may be in it, for any target."""
        return self.path.endswith("/")


def open_listed(entry: Entry) -> int:
    """A descriptor of what now is in a listed file's place; to be closed by the caller.

    Raises:
        ArtifactError: it cannot be opened.
    """
    if entry.gap is not None:
        raise ArtifactError(entry.gap)
    try:
        return os.open(entry.location, _FLAGS)
    except OSError as error:
        raise ArtifactError(f"the file cannot be opened: {error.strerror or type(error).__name__}") from error


def check_listed(descriptor: int, entry: Entry) -> FileIdentity:
    """What an open file is, if it still is the one that was listed.

    Raises:
        ArtifactError: it is no regular file, or was replaced or changed since it was listed.
    """
    status = os.fstat(descriptor)
    identity = FileIdentity.of(status)
    if not stat.S_ISREG(status.st_mode):
        raise ArtifactError("the file was replaced by something that is no file after it was listed")
    if identity != entry.identity and entry.identity is not None and _is_comparable(identity, entry.identity):
        raise ArtifactError("the file changed after it was listed")
    return identity


def check_unchanged(descriptor: int, identity: FileIdentity) -> None:
    if FileIdentity.of(os.fstat(descriptor)) != identity:
        raise ArtifactError("the file changed while it was read")


def unreadable(error: OSError) -> ArtifactError:
    return ArtifactError(f"the file cannot be read: {error.strerror or type(error).__name__}")


def _is_comparable(opened: FileIdentity, listed: FileIdentity) -> bool:
    """Listing a folder on Windows gives no inode and device numbers; then only the open file's own numbers count."""
    return listed.inode != 0 or (opened.size, opened.modified_ns) != (listed.size, listed.modified_ns)


@contextmanager
def open_content(entry: Entry, limits: Limits) -> Iterator[Content]:
    """All bytes of a listed file while the context is open. An empty file gives empty bytes.

    Raises:
        LimitError: the file is larger than `max_artifact_bytes`.
        ArtifactError: as `read_head`; also when leaving the context, where the file changed in the meantime.
    """
    descriptor = open_listed(entry)
    try:
        identity = check_listed(descriptor, entry)
        size = identity.size
        if size > limits.max_artifact_bytes:
            raise LimitError(
                "the file is too large (max_artifact_bytes)",
                got=f"{size} bytes",
                expected=f"at most {limits.max_artifact_bytes}",
            )
        if size <= COPIED_BYTES:
            yield _read_all(descriptor, size)
        else:
            mapped = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
            try:
                yield mapped
            finally:
                # An exception under way may hold a view on the bytes; the mapping then ends with it.
                with suppress(BufferError):
                    mapped.close()
        check_unchanged(descriptor, identity)
    except OSError as error:
        raise unreadable(error) from error
    finally:
        os.close(descriptor)


def read_head(entry: Entry) -> bytes:
    """The first `HEAD_BYTES` of a listed file, fewer if it is shorter.

    Whether it is the file that was listed is asked once, after reading: what is unchanged then was unchanged all the time.

    Raises:
        ArtifactError: it cannot be opened or read, or is not the file that was listed.
    """
    descriptor = open_listed(entry)
    try:
        try:
            return _beginning(descriptor)
        finally:
            check_listed(descriptor, entry)
    except OSError as error:
        raise unreadable(error) from error
    finally:
        os.close(descriptor)


def _beginning(descriptor: int) -> bytes:
    """Of whatever was opened. A pipe that was put in a file's place refuses to be read at an offset (POSIX, `pread`: ESPIPE), so that
    nothing is taken out of it; systems without that call have no such pipes among their files."""
    return os.pread(descriptor, HEAD_BYTES, 0) if hasattr(os, "pread") else os.read(descriptor, HEAD_BYTES)


@contextmanager
def open_parts(entry: Entry) -> Iterator[Callable[[int, int], bytes]]:
    """What reads a listed file from one place to another, fewer octets where it ends, while the context is open. What was made of them
    holds once the context is left.

    Raises:
        ArtifactError: as `read_head`; also when leaving the context, where the file changed in the meantime.
    """
    descriptor = open_listed(entry)
    try:
        identity = check_listed(descriptor, entry)
        size = identity.size

        def read(start: int, stop: int) -> bytes:
            begin = min(start, size)
            os.lseek(descriptor, begin, os.SEEK_SET)
            return _read_all(descriptor, max(0, min(stop, size) - begin))

        yield read
        check_unchanged(descriptor, identity)
    except OSError as error:
        raise unreadable(error) from error
    finally:
        os.close(descriptor)


def _read_all(descriptor: int, size: int) -> bytes:
    data = os.read(descriptor, size) if size else b""
    if len(data) == size:
        return data
    parts = [data]
    missing = size - len(data)
    while missing and (part := os.read(descriptor, missing)):
        parts.append(part)
        missing -= len(part)
    if missing:
        raise ArtifactError("the file became shorter while it was read")
    return b"".join(parts)
