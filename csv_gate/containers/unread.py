"""Containers that are known and not opened: they may hold anything, so each is told as one that could not be looked into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from csv_gate.errors import FormatError

if TYPE_CHECKING:
    from csv_gate.containers.budget import Budget
    from csv_gate.containers.member import Item, Opener, View

UNREAD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "rar": "RAR archives",
        "lzip": "files compressed by lzip",
        "lz4": "files compressed by LZ4",
        "compress": "files compressed by compress (.Z)",
        "cpio_old": "cpio archives of the older form",
        "installshield_cab": "cabinets of InstallShield",
        "wim": "Windows images (WIM)",
        "xar": "xar archives",
        "dmg": "Apple disk images",
        "iso": "disc images (ISO 9660, UDF)",
        "squashfs": "images of SquashFS",
        "erofs": "images of EROFS",
        "vhd": "virtual disks",
        "vhdx": "virtual disks",
    }
)
"""Format, as `csv_gate.formats.identification` names it -> what they are, for people."""


def unread(format: str) -> Opener:
    """The opener of a format that is not opened."""

    def open_nothing(data: View, name: str, budget: Budget) -> Iterator[Item]:
        """See `Opener`."""
        del data, name, budget
        raise FormatError(f"{UNREAD[format]} are not opened", help="ship its content in a form that is opened, or exclude it")
        yield

    return open_nothing
