"""RPM packages: the files of the payload, which is one cpio archive, mostly compressed. What the headers say and whether a signature holds
is read elsewhere.

Source: "RPM V4 Package format", rpm.org.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from csv_gate.containers.budget import Budget
from csv_gate.containers.cpio import PLAIN, STRIPPED, SUMMED, Header, Stripped, cpio_members
from csv_gate.containers.member import Item, Member, View, slices
from csv_gate.containers.streams import STREAMS, Reader, unpacked
from csv_gate.errors import FormatError
from csv_gate.formats import detect_format
from csv_gate.formats.packages import rpm_header
from csv_gate.formats.packages.rpm_header import read_parts
from csv_gate.records import replace

_FILE_SIZES, _LONG_FILE_SIZES, _FILE_MODES, _FILE_DEVICES, _FILE_INODES = 1028, 5008, 1030, 1095, 1096
_FOLDER_NUMBERS, _NAMES, _FOLDERS = 1116, 1117, 1118
_PAYLOAD_FORMAT, _PAYLOAD_COMPRESSOR = 1124, 1125
_MAX_FILES: Final = 1_000_000
_COMPRESSORS: Final = {"gzip": "gzip", "bzip2": "bzip2", "xz": "xz", "lzma": "lzma", "zstd": "zstd", "none": ""}
_REGULAR: Final = 0o100000
_WIDTHS: Final = {3: "H", 4: "I", 5: "Q"}


def open_rpm(data: View, name: str, budget: Budget) -> Iterator[Item]:
    """Files of the payload. See `Opener`."""
    del name
    parts = read_parts(data, budget.limits)
    payload = data[parts.payload_start :]
    try:
        form = parts.main.string(_PAYLOAD_FORMAT)
        if form not in (None, "cpio"):
            raise FormatError("the payload is in a form that is not read", got=repr(form))
        said = parts.main.string(_PAYLOAD_COMPRESSOR)
        head = bytes(payload[:64])
        is_plain = head[:6] in (PLAIN, SUMMED, STRIPPED)
        found = "" if is_plain else detect_format(head, len(payload))
        if found and found not in STREAMS:
            raise FormatError("the payload is packed by a method that is not read", got=repr(said))
        if said is not None and _COMPRESSORS.get(said) != found:
            raise FormatError("the payload is packed by another method than the package says", got=found, expected=said)
        chunks = unpacked(payload, found, budget) if found else budget.metered(slices(payload, 0, len(payload)))
        for item in cpio_members(Reader(chunks), budget, _listed(parts.main)):
            # Names are told from the root of the target, with `/`, `./` or nothing before them.
            yield replace(item, name=item.name.removeprefix("/")) if isinstance(item, Member) else item
    finally:
        payload.release()


def _listed(main: rpm_header.Header) -> Stripped:
    """Files by number, as the main header lists them; read when the first is asked for."""
    files: list[Header] = []

    def header_of(number: int) -> Header:
        if not files:
            files.extend(_files(main))
        if number >= len(files):
            raise FormatError("the payload has a file that the package does not list", got=str(number))
        return files[number]

    return header_of


def _files(main: rpm_header.Header) -> Iterator[Header]:
    names, folders = main.strings(_NAMES, _MAX_FILES), main.strings(_FOLDERS, _MAX_FILES)
    places, modes = _numbers(main, _FOLDER_NUMBERS), _numbers(main, _FILE_MODES)
    sizes = _numbers(main, _LONG_FILE_SIZES) or _numbers(main, _FILE_SIZES)
    devices, inodes = _numbers(main, _FILE_DEVICES), _numbers(main, _FILE_INODES)
    if not len(names) == len(places) == len(modes) == len(sizes) == len(inodes) == len(devices):
        raise FormatError("the package does not list its files whole")
    if any(place >= len(folders) for place in places):
        raise FormatError("the package names a folder that is not there")
    last = {key: number for number, key in enumerate(zip(devices, inodes, strict=True)) if modes[number] & 0o170000 == _REGULAR}
    for number, name in enumerate(names):
        is_linked = modes[number] & 0o170000 == _REGULAR and last[devices[number], inodes[number]] != number
        path = "." + folders[places[number]] + name
        size = 0 if is_linked or modes[number] & 0o170000 not in (_REGULAR, 0o120000) else sizes[number]
        # Another name of a file is shown as a link, which is no member.
        mode = 0 if is_linked else modes[number]
        yield Header(name=path.encode("utf-8", "surrogateescape"), mode=mode, size=size)


def _numbers(main: rpm_header.Header, tag: int) -> tuple[int, ...]:
    """All numbers of a tag.

    Raises:
        FormatError: they do not lie in the header, or are too many.
    """
    entry = main.entries.get(tag)
    if entry is None:
        return ()
    shape = _WIDTHS.get(entry.type)
    if shape is None or entry.count > _MAX_FILES or tag in main.repeated:
        raise FormatError("the package does not list its files as it must", got=f"tag {tag}")
    packed = struct.Struct(f">{entry.count}{shape}")
    if entry.offset + packed.size > len(main.store):
        raise FormatError("a value ends behind its header", got=f"tag {tag}")
    return packed.unpack_from(main.store, entry.offset)
