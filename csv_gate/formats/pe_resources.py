"""Find the version resources of a PE image: the one branch of the resource tree that code integrity looks at.

Source: "PE Format" (Microsoft Learn), "The .rsrc Section": a tree of three levels (type, name, language) whose inner nodes are directories
of {u32 name or id, u32 offset} entries. The walk visits exactly these three levels, each directory at most once, and counts entries,
so that a tree that points into itself ends.
"""

from __future__ import annotations

import struct
from typing import Final

from csv_gate.errors import FormatError, LimitError
from csv_gate.formats.pe_layout import PeLayout
from csv_gate.limits import Limits
from csv_gate.records import dataclass

RESOURCE_DIRECTORY: Final = 2
_RT_VERSION: Final = 16
_VS_VERSION_INFO: Final = 1
_IS_DIRECTORY: Final = 0x8000_0000
_DIRECTORY = struct.Struct("<IIHHHH")
_PAIR = struct.Struct("<II")


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionResource:
    """The octets of one version resource. Attacker-controlled."""

    language: int
    """LANGID; 0 is language-neutral."""
    data: bytes


def find_version_resources(view: memoryview, layout: PeLayout, limits: Limits) -> tuple[VersionResource, ...]:
    """All languages of the resource RT_VERSION, id 1, in the order of the tree; none: the image has no version resource.

    Raises:
        FormatError: the tree points outside the file's own bytes, or its version resources all have other ids, or one id twice.
        LimitError: too many entries, or too large a resource.
    """
    rva, size = layout.directory(RESOURCE_DIRECTORY)
    if rva == 0 or size == 0:
        return ()
    return _TreeWalk(view, layout, limits, rva).versions()


class _TreeWalk:
    def __init__(self, view: memoryview, layout: PeLayout, limits: Limits, rva: int) -> None:
        self.view = view
        self.layout = layout
        self.limits = limits
        self.base = rva
        self.run = layout.run_at(rva)
        self.visited: set[int] = set()
        self.entries_left = limits.max_resource_entries

    def versions(self) -> tuple[VersionResource, ...]:
        found: list[VersionResource] = []
        others = False
        for kind, types_offset in self._directory(0):
            if kind != _RT_VERSION or not types_offset & _IS_DIRECTORY:
                continue
            for name, names_offset in self._directory(types_offset & ~_IS_DIRECTORY):
                if name != _VS_VERSION_INFO or not names_offset & _IS_DIRECTORY:
                    others = True
                    continue
                for language, leaf_offset in self._directory(names_offset & ~_IS_DIRECTORY):
                    if not leaf_offset & _IS_DIRECTORY:
                        found.append(VersionResource(language=language, data=self._leaf(leaf_offset)))
        if others and not found:
            raise FormatError("the image has version resources, but none with the id 1, by which Windows looks for it")
        if len({one.language for one in found}) < len(found):
            raise FormatError("the image has two version resources of one language")
        return tuple(found)

    def _at(self, offset: int, length: int) -> int:
        at = None if self.run is None else self.run.offset_of(self.base + offset, length)
        if at is None:
            raise FormatError(f"the resource tree points outside the file, to {self.base + offset:#x}")
        return at

    def _directory(self, offset: int) -> list[tuple[int, int]]:
        """(id or name, offset) of every entry; both may have their high bit set."""
        if offset in self.visited:
            raise FormatError("the resource tree points back into itself")
        self.visited.add(offset)
        *_, named, numbered = _DIRECTORY.unpack_from(self.view, self._at(offset, _DIRECTORY.size))
        count = named + numbered
        self.entries_left -= count
        if self.entries_left < 0:
            raise LimitError(
                f"the resource tree has more than max_resource_entries ({self.limits.max_resource_entries}) entries"
            )
        at = self._at(offset + _DIRECTORY.size, count * _PAIR.size)
        return [_PAIR.unpack_from(self.view, at + index * _PAIR.size) for index in range(count)]

    def _leaf(self, offset: int) -> bytes:
        rva, size = _PAIR.unpack_from(self.view, self._at(offset, 16))
        if size > self.limits.max_resource_bytes:
            raise LimitError(f"the version resource has {size} bytes, more than max_resource_bytes")
        at = self.layout.offset_of(rva, size)
        if at is None:
            raise FormatError(f"the version resource lies outside the file, at {rva:#x}")
        return bytes(self.view[at : at + size])
