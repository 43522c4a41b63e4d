import hashlib
import os
from pathlib import Path

import pytest

from csv_gate.errors import ArtifactError
from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.scan import Entry, piece_buffer, pieces, read_pieces, walk


def entry_of(path: Path) -> Entry:
    (entry,) = walk([path], limits=DEFAULT_LIMITS).entries
    return entry


@pytest.mark.parametrize("size", [0, 1, pieces.PIECE_BYTES, pieces.PIECE_BYTES + 1, 3 * pieces.PIECE_BYTES - 7])
def test_the_pieces_are_the_file(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "a").write_bytes(data)
    hasher = hashlib.sha256()
    for piece in read_pieces(entry_of(tmp_path / "a"), piece_buffer()):
        hasher.update(piece)
    assert hasher.digest() == hashlib.sha256(data).digest()


def test_one_buffer_serves_many_files(tmp_path: Path) -> None:
    buffer = piece_buffer()
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode() * (5 if name == "a" else 3))
    assert [[bytes(piece) for piece in read_pieces(entry_of(tmp_path / name), buffer)] for name in "ab"] == [
        [b"aaaaa"],
        [b"bbb"],
    ]


def test_a_file_that_changes_while_it_is_read_is_no_file_that_was_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a" * 2 * pieces.PIECE_BYTES)
    reading = read_pieces(entry_of(path), piece_buffer())
    next(reading)
    path.write_bytes(b"b" * 2 * pieces.PIECE_BYTES)
    os.utime(path, ns=(1, 1))
    with pytest.raises(ArtifactError, match="changed while it was read"):
        list(reading)


def test_a_file_that_was_replaced_since_it_was_listed_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    entry = entry_of(tmp_path / "a")
    (tmp_path / "b").write_bytes(b"xyz")
    (tmp_path / "b").replace(tmp_path / "a")
    with pytest.raises(ArtifactError, match="changed after it was listed"):
        next(read_pieces(entry, piece_buffer()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_does_not_write_into_its_parents_buffer(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"parent")
    (tmp_path / "b").write_bytes(b"child!")
    buffer = piece_buffer()
    piece = next(read_pieces(entry_of(tmp_path / "a"), buffer))
    child = os.fork()
    if not child:
        list(read_pieces(entry_of(tmp_path / "b"), buffer))
        os._exit(0)
    os.waitpid(child, 0)
    assert bytes(piece) == b"parent"
