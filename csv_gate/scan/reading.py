"""Open one listed file and hand out its bytes, bounded, without following a link that was put in its place.

A file up to `COPIED_BYTES` is copied into memory: a snapshot that nobody can cut short while it is parsed. A larger one is mapped.
Whether the file changed while it was looked at is asked at the end: facts of a moving file would be facts of no file.
"""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from csv_gate.errors import ArtifactError, LimitError
from csv_gate.limits import MIB, Limits
from csv_gate.scan.walk import Entry, FileIdentity

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


def _open(entry: Entry) -> tuple[int, FileIdentity]:
    """The descriptor of a listed file, if it is still that file; to be closed by the caller.

    Raises:
        ArtifactError: it cannot be opened, is no regular file, or was replaced since it was listed.
    """
    if entry.gap is not None:
        raise ArtifactError(entry.gap)
    try:
        descriptor = os.open(entry.location, _FLAGS)
    except OSError as error:
        raise ArtifactError(f"the file cannot be opened: {error.strerror or type(error).__name__}") from error
    try:
        status = os.fstat(descriptor)
        identity = FileIdentity.of(status)
        if not stat.S_ISREG(status.st_mode):
            raise ArtifactError("the file was replaced by something that is no file after it was listed")
        if entry.identity is not None and identity != entry.identity and _is_comparable(identity, entry.identity):
            raise ArtifactError("the file changed after it was listed")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, identity


def _check_unchanged(descriptor: int, identity: FileIdentity) -> None:
    if FileIdentity.of(os.fstat(descriptor)) != identity:
        raise ArtifactError("the file changed while it was read")


def _unreadable(error: OSError) -> ArtifactError:
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
    descriptor, identity = _open(entry)
    size = identity.size
    try:
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
        _check_unchanged(descriptor, identity)
    except OSError as error:
        raise _unreadable(error) from error
    finally:
        os.close(descriptor)


def read_head(entry: Entry) -> bytes:
    """The first `HEAD_BYTES` of a listed file, fewer if it is shorter.

    Raises:
        ArtifactError: it cannot be opened or read, or is not the file that was listed.
    """
    descriptor, identity = _open(entry)
    try:
        head = os.read(descriptor, HEAD_BYTES)
        _check_unchanged(descriptor, identity)
        return head
    except OSError as error:
        raise _unreadable(error) from error
    finally:
        os.close(descriptor)


def read_ends(entry: Entry, tail_bytes: int) -> tuple[bytes, bytes]:
    """The head of a listed file and its last `tail_bytes`; they overlap in a short file.

    Raises:
        ArtifactError: as `read_head`.
    """
    descriptor, identity = _open(entry)
    size = identity.size
    try:
        head = os.read(descriptor, HEAD_BYTES)
        os.lseek(descriptor, max(0, size - tail_bytes), os.SEEK_SET)
        tail = _read_all(descriptor, min(size, tail_bytes))
        _check_unchanged(descriptor, identity)
        return head, tail
    except OSError as error:
        raise _unreadable(error) from error
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
