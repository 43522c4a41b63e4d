"""Cabinets ([MS-CAB]): folders of files that are packed as one, each folder in blocks of at most 32 KiB.

A folder can only be read front to back, so members come in the order of folders and of their places there. What begins or goes on in
another volume, what overlaps, and what is packed by Quantum is not read: each such member is an error of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from typing import Final

from csv_gate.containers.budget import Budget
from csv_gate.containers.cab_folder import Folder, FolderContent
from csv_gate.containers.member import CHUNK_BYTES, Item, Member, View
from csv_gate.containers.streams import Reader
from csv_gate.errors import FormatError
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass, replace

_HEADER: Final = struct.Struct("<4sIIIIIBBHHHHH")
_RESERVES: Final = struct.Struct("<HBB")
_FOLDER: Final = struct.Struct("<IHH")
_FILE: Final = struct.Struct("<IIHHHH")
_PREVIOUS, _NEXT, _RESERVE = 1, 2, 4
_FROM_PREVIOUS, _TO_NEXT, _THROUGH = 0xFFFD, 0xFFFE, 0xFFFF
_NAME_IS_UTF8: Final = 0x80
_MAX_NAME_BYTES: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file as the cabinet lists it."""

    name: str
    folder: int
    start: int
    size: int
    volume: str | None = None
    """Another volume that is needed for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Everything but the data."""

    folders: tuple[Folder, ...]
    files: tuple[File, ...]
    """In the order of their places."""
    problems: tuple[Problem, ...]


def open_cab(data: View, name: str, budget: Budget) -> Iterator[Item]:
    """Members of a cabinet. See `Opener`."""
    del name
    listing = read_listing(data, budget)
    yield from listing.problems
    number, end, reader = -1, 0, Reader(iter(()))
    for file in listing.files:
        if file.folder != number:
            number, end = file.folder, 0
            reader = Reader(FolderContent(data, listing.folders[number], budget))
        why = None
        if file.volume is not None:
            why = f"the member is not whole in this volume: {file.volume!r} is needed too, and volumes are not put together"
        elif file.size and file.start < end:
            why = "its content overlaps that of another member"
            detail = f"members overlap others, such as {file.name[:100]!r}"
            yield Problem(code=ProblemCode.CONTAINER_MEMBERS_OVERLAP, detail=detail)
        end = max(end, file.start + file.size)
        yield Member(name=file.name, chunks=partial(_content, reader, file) if why is None else partial(_unread, why))


def _unread(why: str) -> Iterator[bytes]:
    raise FormatError(why)


def _content(reader: Reader, file: File) -> Iterator[bytes]:
    """The content of a file; files before it are unpacked, as far as nobody has asked for them."""
    missing = file.start - reader.position if file.size else 0
    if reader.skip(missing) < missing:
        raise FormatError("the folder of the cabinet ends before the member")
    missing = file.size
    while missing:
        piece = reader.piece(min(missing, CHUNK_BYTES))
        if not piece:
            raise FormatError("the folder of the cabinet ends within the member")
        missing -= len(piece)
        yield piece


def read_listing(data: View, budget: Budget) -> Listing:
    """Folders and files.

    Raises:
        FormatError: the cabinet contradicts itself.
        LimitError: too many files, or a name that is too long.
    """
    if len(data) < _HEADER.size:
        raise FormatError("the cabinet ends within its header")
    _, _, extent, _, files_at, _, _, _, folders, files, flags, _, _ = _HEADER.unpack_from(data)
    if not _HEADER.size <= extent <= len(data):
        raise FormatError("the cabinet is cut short", got=f"{len(data)} bytes", expected=f"{extent}")
    budget.spend_members(files)
    view = data[:extent]
    at, folder_reserve, data_reserve = _HEADER.size, 0, 0
    if flags & _RESERVE:
        header_reserve, folder_reserve, data_reserve = _unpacked(_RESERVES, view, at)
        at += _RESERVES.size + header_reserve
    volumes: list[str] = []
    for flag in (_PREVIOUS, _NEXT):
        volume, at = _text(view, at) if flags & flag else ("", at)
        _, at = _text(view, at) if flags & flag else ("", at)
        volumes.append(volume)
    found = []
    for _ in range(folders):
        start, blocks, method = _unpacked(_FOLDER, view, at)
        found.append(Folder(start=start, blocks=blocks, method=method, reserve=data_reserve, end=extent))
        at += _FOLDER.size + folder_reserve
    starts = [folder.start for folder in found if folder.blocks]
    if len(set(starts)) < len(starts):
        raise FormatError("two folders of the cabinet are in one place")
    problems = []
    if files and files_at != at:
        detail = "the list of files does not follow that of the folders; readers that take it from there see other files"
        problems.append(Problem(code=ProblemCode.CONTAINER_INCONSISTENT, detail=detail, offset=files_at))
    listed = _files(view, files_at, files, len(found), volumes)
    return Listing(folders=tuple(found), files=tuple(listed), problems=tuple(problems))


def _files(view: View, at: int, count: int, folders: int, volumes: list[str]) -> list[File]:
    previous, following = volumes
    listed: list[File] = []
    is_continued = False
    for _ in range(count):
        size, start, folder, _, _, attributes = _unpacked(_FILE, view, at)
        name, at = _text(view, at + _FILE.size, is_utf8=bool(attributes & _NAME_IS_UTF8))
        volume = None
        if folder >= _FROM_PREVIOUS:
            is_continued = is_continued or folder != _TO_NEXT
            volume = previous if folder != _TO_NEXT else following
            folder = folders - 1 if folder == _TO_NEXT else 0
        if folder >= folders:
            raise FormatError("a file of the cabinet is in a folder that is not there", got=name[:100])
        listed.append(File(name=name.replace("\\", "/"), folder=folder, start=start, size=size, volume=volume))
    if is_continued:  # then the first folder begins in the volume before, with all that is in it
        listed = [replace(file, volume=previous) if file.folder == 0 else file for file in listed]
    return sorted(listed, key=lambda file: (file.folder, file.start, file.size))


def _unpacked(shape: struct.Struct, view: View, at: int) -> tuple[int, ...]:
    if at + shape.size > len(view):
        raise FormatError("the cabinet ends within its lists")
    return shape.unpack_from(view, at)


def _text(view: View, at: int, *, is_utf8: bool = False) -> tuple[str, int]:
    """A text that ends with a zero, and what is behind it. Without the mark of UTF-8 its code page is that of the machine that packed it:
    Windows-1252 stands for all of them."""
    raw = bytes(view[at : at + _MAX_NAME_BYTES])
    end = raw.find(0)
    if end < 0:
        raise FormatError("a name in the cabinet does not end")
    text = raw[:end].decode("utf-8" if is_utf8 else "cp1252", "surrogateescape")
    return text, at + end + 1
