"""The entries of a JAR compared with the digests of its manifest, each read once however many signers there are.

Source: JAR File Specification (Java SE 17), "Signature Validation"; `jdk.jar.disabledAlgorithms` of JDK 17 for digests that no longer
count.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Mapping
from enum import Enum, auto
from typing import Final

from csv_gate.errors import FormatError
from csv_gate.formats.packages.jar_manifest import Manifest, entry_key
from csv_gate.formats.packages.zip_members import Listing
from csv_gate.formats.zip_directory import Entry
from csv_gate.records import dataclass, field

DISABLED: Final = frozenset({"md2", "md5"})
"""Digests that Java does not look at."""
WEAK: Final = frozenset({"sha1"})
"""Java takes it of signatures with a time stamp before 2019 only."""


class Agreement(Enum):
    """How content and stated digests agree."""

    RIGHT = auto()
    WRONG = auto()
    UNKNOWN = auto()
    """No stated digest is of an algorithm that counts."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Stated digests, compared."""

    agreement: Agreement
    algorithms: frozenset[str]
    """Those that count; of several SHA-1 is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What the manifest states of entries, and whether it is so. Keys as `entry_key` writes them."""

    compared: Mapping[str, Compared]
    """Entries with a digest in the manifest that are there."""
    missing: tuple[str, ...]
    """Entries with a digest in the manifest that are not there."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Those among the wrong ones that could not be unpacked, and why."""

    @property
    def is_right(self) -> bool | None:
        """Whether every stated digest that counts is right; `None`: there is none."""
        if not self.compared and not self.missing:
            return None
        return not self.missing and all(one.agreement is not Agreement.WRONG for one in self.compared.values())


def compare(stated: Iterable[tuple[str | None, str]], digest: Callable[[str], bytes]) -> Compared:
    """Whether all stated digests that count are those that `digest` gives for their algorithm."""
    counting = [(name, value) for name, value in stated if name is not None and name not in DISABLED]
    if not counting:
        return Compared(Agreement.UNKNOWN, frozenset())
    right = all(digest(name) == _decoded(value) for name, value in counting)
    names = frozenset(name for name, _ in counting)
    return Compared(Agreement.RIGHT if right else Agreement.WRONG, names - WEAK or names)


def digest_of(data: bytes) -> Callable[[str], bytes]:
    """The digests of some bytes, by name of algorithm."""
    return lambda name: hashlib.new(name, data, usedforsecurity=False).digest()


def read_contents(listing: Listing, manifest: Manifest) -> Contents:
    """Read and compare every entry that the manifest has a digest of. Of a name that stands twice, both must agree.

    Raises:
        LimitError: the entries unpack to too much.
    """
    entries: dict[str, list[Entry]] = {}
    for entry in listing.entries:
        entries.setdefault(entry_key(entry.name), []).append(entry)
    compared: dict[str, Compared] = {}
    unreadable: dict[str, str] = {}
    missing: list[str] = []
    for key, section in manifest.sections.items():
        stated = section.digests()
        if not stated:
            continue
        if key not in entries:
            missing.append(key)
            continue
        for entry in entries[key]:
            try:
                digests = _digests(listing, entry, {name for name, _ in stated if name is not None} - DISABLED)
            except FormatError as error:
                compared[key], unreadable[key] = Compared(Agreement.WRONG, frozenset()), str(error)
                break
            compared[key] = compare(stated, digests.__getitem__)
            if compared[key].agreement is not Agreement.RIGHT:
                break
    return Contents(compared=compared, missing=tuple(missing), unreadable=unreadable)


def _digests(listing: Listing, entry: Entry, names: set[str]) -> Mapping[str, bytes]:
    hashers = {name: hashlib.new(name, usedforsecurity=False) for name in sorted(names)}
    for chunk in listing.chunks(entry):
        for hasher in hashers.values():
            hasher.update(chunk)
    return {name: hasher.digest() for name, hasher in hashers.items()}


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
