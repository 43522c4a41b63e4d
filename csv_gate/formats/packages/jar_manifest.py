"""The text of a JAR's manifest and of its signature files: sections of attributes, each with the bytes that digests are taken of.

Source: JAR File Specification (Java SE 17), "Name-Value pairs and Sections", "Signature File", "Digest Computation". Lines end in CR, LF or
both; a line that begins with a blank continues the one before, wherever that was cut, in the middle of a character too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from csv_gate.errors import FormatError, LimitError
from csv_gate.lazy import regex
from csv_gate.limits import Limits
from csv_gate.records import dataclass

_LINE: Final = regex(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_ATTRIBUTE: Final = regex(rb"([A-Za-z0-9][A-Za-z0-9_-]{0,69}): (.*)", re.S)
_ALGORITHMS: Final[Mapping[str, str]] = {
    "md2": "md2",
    "md5": "md5",
    "sha": "sha1",
    "sha1": "sha1",
    "sha-1": "sha1",
    "sha-224": "sha224",
    "sha-256": "sha256",
    "sha-384": "sha384",
    "sha-512": "sha512",
    "sha3-224": "sha3_224",
    "sha3-256": "sha3_256",
    "sha3-384": "sha3_384",
    "sha3-512": "sha3_512",
}
"""Names that Java knows, in lower case -> names of `hashlib`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Attributes that belong together. Text is attacker-controlled."""

    raw: bytes
    """With the blank line that ends it."""
    bare: bytes
    """Without that line: what some signers digested."""
    attributes: Mapping[str, str]
    """By name in lower case."""

    def digests(self, ending: str = "-digest") -> tuple[tuple[str | None, str], ...]:
        """Algorithm (`None`: unknown) and stated value of every attribute whose name ends so."""
        return tuple(
            (_ALGORITHMS.get(name.removesuffix(ending)), value)
            for name, value in self.attributes.items()
            if name.endswith(ending)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A whole text."""

    raw: bytes
    main: Section
    sections: Mapping[str, Section]
    """By the name of the entry that it speaks of, as `entry_key` writes it."""


def entry_key(name: str) -> str:
    """How names of entries are compared: as they stand, but Java takes `./a` and `/a` for `a` in manifests."""
    plain = name.replace("\\", "/")
    return plain[2:] if plain.startswith("./") else plain.removeprefix("/")


def read_manifest(raw: bytes, what: str, limits: Limits) -> Manifest:
    """Read a manifest or signature file; `what` is its name in messages.

    Raises:
        FormatError: a line is no attribute, a name or a digest stands twice, a section has no name.
        LimitError: it speaks of more entries than a container may have members.
    """
    main: Section | None = None
    sections: dict[str, Section] = {}
    for section in _sections(raw, what):
        if main is None:
            main = section
            continue
        if len(sections) >= limits.max_container_members:
            raise LimitError(f"{what} speaks of too many entries (max_container_members)")
        name = section.attributes.get("name")
        if name is None or next(iter(section.attributes)) != "name":
            raise FormatError(f"a section of {what} does not begin with the name of an entry")
        key = entry_key(name)
        if key in sections:
            raise FormatError(f"{what} speaks twice of the entry {name[:200]!r}")
        sections[key] = section
    if main is None or "name" in main.attributes:
        raise FormatError(f"{what} does not begin with main attributes")
    return Manifest(raw=raw, main=main, sections=sections)


def _sections(raw: bytes, what: str) -> list[Section]:
    """Sections that hold something; further blank lines between them belong to none."""
    found: list[Section] = []
    lines: list[bytearray] = []
    start = at = 0
    while at < len(raw):
        match = _LINE.match(raw, at)
        assert match is not None
        line, begun, at = match.group().rstrip(b"\r\n"), at, match.end()
        if line[:1] == b" ":
            if not lines:
                raise FormatError(f"a section of {what} begins with the continuation of a line")
            lines[-1] += line[1:]
        elif line:
            lines.append(bytearray(line))
        if line and at < len(raw):
            continue
        if lines:
            bare = raw[start : at if line else begun]
            found.append(Section(raw=raw[start:at], bare=bare, attributes=_attributes(lines, what)))
        elif not found:
            raise FormatError(f"{what} does not begin with main attributes")
        start, lines = at, []
    return found


def _attributes(lines: list[bytearray], what: str) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for line in lines:
        match = _ATTRIBUTE.fullmatch(line)
        if match is None:
            raise FormatError(f"a line of {what} is no attribute", got=repr(bytes(line[:60])))
        name = match[1].decode("ascii").lower()
        if name in attributes and (name == "name" or "-digest" in name):
            raise FormatError(f"a section of {what} has the attribute {name!r} twice")
        attributes[name] = match[2].decode("utf-8", "surrogateescape")
    return attributes
