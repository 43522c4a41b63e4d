import mmap
import os
from pathlib import Path

import pytest

from csv_gate.errors import ArtifactError, LimitError
from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.scan import Entry, open_content, open_parts, read_head, reading, walk


def entry_of(path: Path) -> Entry:
    (entry,) = walk([path], limits=DEFAULT_LIMITS).entries
    return entry


def test_a_small_file_is_copied_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc" * 5000)
    with open_content(entry_of(tmp_path / "a"), DEFAULT_LIMITS) as content:
        assert content == b"abc" * 5000
    assert read_head(entry_of(tmp_path / "a")) == (b"abc" * 5000)[: reading.HEAD_BYTES]


def test_a_large_file_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "COPIED_BYTES", 10)
    (tmp_path / "a").write_bytes(b"abc" * 5000)
    with open_content(entry_of(tmp_path / "a"), DEFAULT_LIMITS) as content:
        assert isinstance(content, mmap.mmap)
        assert content[:] == b"abc" * 5000


def test_an_empty_file_gives_empty_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with open_content(entry_of(tmp_path / "a"), DEFAULT_LIMITS) as content:
        assert content == b""
    assert read_head(entry_of(tmp_path / "a")) == b""


def test_a_sparse_file_beyond_the_limit_is_named_and_not_read(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(5 * 1024**3)
    with pytest.raises(LimitError, match="max_artifact_bytes"), open_content(entry_of(tmp_path / "big"), DEFAULT_LIMITS):
        pass


def test_a_file_below_the_limit_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    with open_content(entry_of(tmp_path / "a"), Limits(max_artifact_bytes=3)) as content:
        assert content == b"abc"


def test_a_file_that_was_replaced_since_it_was_listed_is_not_taken_for_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    entry = entry_of(tmp_path / "a")
    (tmp_path / "b").write_bytes(b"xyz")
    (tmp_path / "b").replace(tmp_path / "a")
    with pytest.raises(ArtifactError, match="changed after it was listed"):
        read_head(entry)


def test_a_link_that_was_put_in_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "secret").write_bytes(b"xyz")
    entry = entry_of(tmp_path / "a")._replace(identity=None)
    (tmp_path / "a").unlink()
    (tmp_path / "a").symlink_to("secret")
    with pytest.raises(ArtifactError, match="cannot be opened"):
        read_head(entry)


def test_a_pipe_that_was_put_in_place_of_a_file_does_not_hang(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    entry = entry_of(tmp_path / "a")
    (tmp_path / "a").unlink()
    os.mkfifo(tmp_path / "a")
    with pytest.raises(ArtifactError, match="no file"):
        read_head(entry)


def test_nothing_is_taken_out_of_a_pipe_that_was_put_in_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    entry = entry_of(tmp_path / "a")
    (tmp_path / "a").unlink()
    os.mkfifo(tmp_path / "a")
    others = os.open(tmp_path / "a", os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(others, b"for somebody else")
        with pytest.raises(ArtifactError, match="no file"):
            read_head(entry)
        assert os.read(others, 100) == b"for somebody else"
    finally:
        os.close(others)


def test_a_file_that_changes_while_its_head_is_read_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    entry = entry_of(tmp_path / "a")

    def overtaken(descriptor: int, size: int, offset: int) -> bytes:
        (tmp_path / "a").write_bytes(b"wxyz")
        return b"abc"

    monkeypatch.setattr(os, "pread", overtaken)
    with pytest.raises(ArtifactError, match="changed after it was listed"):
        read_head(entry)


@pytest.mark.parametrize("change", [b"abcd", b"ab", b"xyz"], ids=["grown", "cut", "overwritten"])
def test_a_file_that_changes_while_it_is_read_is_not_trusted(tmp_path: Path, change: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    os.utime(path, ns=(0, 0))
    with pytest.raises(ArtifactError, match="changed while it was read"), open_content(entry_of(path), DEFAULT_LIMITS):
        path.write_bytes(change)


def test_a_change_that_sets_the_old_time_again_is_still_seen(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    before = path.stat()

    def change() -> None:
        path.write_bytes(b"xyz")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    with pytest.raises(ArtifactError, match="changed while it was read"), open_content(entry_of(path), DEFAULT_LIMITS):
        change()


def test_parts_are_read_from_anywhere_and_end_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    with open_parts(entry_of(tmp_path / "a")) as read:
        assert [read(8, 20), read(2, 4), read(20, 30), read(4, 2)] == [b"89", b"23", b"", b""]


def test_what_was_read_in_parts_of_a_file_that_changes_does_not_hold(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    with pytest.raises(ArtifactError, match="changed while it was read"), open_parts(entry_of(path)) as read:
        path.write_bytes(read(0, 3) * 2)


def test_an_entry_that_could_not_be_listed_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(ArtifactError, match="Permission denied"):
        read_head(entry_of(tmp_path / "a")._replace(gap="Permission denied"))


def test_a_read_error_is_an_artifact_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"abc")

    def failing(*of: int) -> bytes:
        raise OSError(5, "Input/output error")

    entry = entry_of(tmp_path / "a")
    monkeypatch.setattr(os, "pread", failing)
    monkeypatch.setattr(os, "read", failing)
    with pytest.raises(ArtifactError, match="Input/output error"):
        read_head(entry)
    with pytest.raises(ArtifactError, match="Input/output error"), open_content(entry, DEFAULT_LIMITS):
        pass
