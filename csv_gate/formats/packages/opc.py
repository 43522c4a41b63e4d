"""Open Packaging Conventions: which parts a ZIP file holds, of what types they are, and what leads from one to another.

Source: ECMA-376 part 2 (Open Packaging Conventions), clauses 9.1 (part names), 9.2 (content types), 9.3 (relationships), 10.2 (mapping to
ZIP). Part names are compared without regard to the case of ASCII letters, and as they read once percent signs are resolved.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

from csv_gate.errors import FormatError
from csv_gate.formats.packages.xml_elements import elements
from csv_gate.formats.packages.zip_members import Listing
from csv_gate.formats.zip_directory import Entry
from csv_gate.lazy import regex
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass
from csv_gate.signatures.xml_canonical import canonical
from csv_gate.signatures.xml_tree import Element, read_document

CONTENT_TYPES: Final = "[content_types].xml"
RELATIONSHIPS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
RELATIONSHIP_TRANSFORM: Final = "http://schemas.openxmlformats.org/package/2006/RelationshipTransform"
SIGNATURE_NAMESPACE: Final = "http://schemas.openxmlformats.org/package/2006/digital-signature"
SIGNATURE_RELATIONSHIPS: Final = RELATIONSHIPS + "/digital-signature/"
_SCHEME: Final = regex(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True, slots=True)
class Relationship:
    """One relationship. Text is attacker-controlled."""

    id: str
    type: str
    target: str
    """As written."""
    mode: str


@dataclass(frozen=True, slots=True)
class Package:
    """The parts of a package by `part_key`, in the order of the directory."""

    listing: Listing
    parts: Mapping[str, Entry]
    defaults: Mapping[str, str]
    """Content types by extension in lower case."""
    overrides: Mapping[str, str]
    """Content types by `part_key`."""
    problems: tuple[Problem, ...]
    """Why readers may see different parts."""

    def read(self, key: str) -> bytes:
        """The content of a part that is there. Raises as `Listing.read`."""
        return self.listing.read(self.parts[key], max_bytes=self.listing.limits.max_package_text_bytes)

    def content_type(self, key: str) -> str | None:
        """The content type of a part; `None`: the package does not tell."""
        return self.overrides.get(key) or self.defaults.get(key.rpartition("/")[2].rpartition(".")[2])

    def relationships(self, source: str) -> tuple[Relationship, ...]:
        """What leads away from a part, or from the package itself (an empty name).

        Raises:
            FormatError: the part of relationships is damaged.
            LimitError: it is too large.
        """
        key = relationships_key(source)
        return read_relationships(self.read(key)) if key in self.parts else ()

    def targets(self, source: str, type: str) -> tuple[str, ...]:
        """The keys of the parts that relationships of a type lead to. Raises as `relationships`."""
        found = (one for one in self.relationships(source) if one.type == type and one.mode != "External")
        return tuple(dict.fromkeys(part_key(posixpath.join("/", posixpath.dirname(source), one.target)) for one in found))


def part_key(name: str) -> str:
    """How names of parts are compared: without the leading slash, percent signs resolved, ASCII letters in lower case.

    Raises:
        FormatError: it names no part of the package.
    """
    if _SCHEME.match(name) or name.startswith("//"):
        raise FormatError("a reference leads out of the package", got=name[:100])
    octets = unquote_to_bytes(name.partition("#")[0].encode("utf-8", "surrogateescape"))
    plain = octets.decode("utf-8", "surrogateescape").replace("\\", "/")
    key = posixpath.normpath("/" + plain).lstrip("/")
    return "".join(char.lower() if "A" <= char <= "Z" else char for char in key)


def relationships_key(source: str) -> str:
    """The part that holds the relationships of another."""
    folder, _, name = source.rpartition("/")
    return f"{folder}/_rels/{name}.rels" if folder else f"_rels/{name}.rels"


def is_relationships(key: str) -> bool:
    return key.endswith(".rels") and (key.startswith("_rels/") or "/_rels/" in key)


def open_package(listing: Listing) -> Package:
    """The parts of a package and their types.

    Raises:
        FormatError: the list of content types is damaged, or says two things of one part.
        LimitError: it is too large.
    """
    parts: dict[str, Entry] = {}
    problems = list(listing.problems)
    for entry in listing.entries:
        if entry.name.endswith("/") and entry.size == 0:
            continue
        key = part_key("/" + entry.name)
        if key in parts and parts[key].name != entry.name:
            detail = f"{entry.name[:200]!r} and {parts[key].name[:200]!r} name one part"
            problems.append(Problem(code=ProblemCode.MEMBER_NAMES_COLLIDE, detail=detail, offset=entry.header_at))
        parts.setdefault(key, entry)
    defaults: dict[str, str] = {}
    overrides: dict[str, str] = {}
    if CONTENT_TYPES in parts:
        raw = listing.read(parts[CONTENT_TYPES], max_bytes=listing.limits.max_package_text_bytes)
        for tag in elements(raw):
            told = tag.attributes.get("ContentType", "")
            if tag.path == ("Types", "Default"):
                _put(defaults, tag.attributes.get("Extension", "").lower(), told)
            elif tag.path == ("Types", "Override"):
                _put(overrides, part_key(tag.attributes.get("PartName", "")), told)
    return Package(listing, parts, defaults, overrides, tuple(problems))


def _put(types: dict[str, str], key: str, told: str) -> None:
    if types.setdefault(key, told) != told:
        raise FormatError("the list of content types gives two types to one name", got=repr(key[:100]))


def read_relationships(data: bytes) -> tuple[Relationship, ...]:
    """Relationships in the order of the part. Raises FormatError and LimitError."""
    return tuple(_relationship(one) for one in _relationship_elements(data))


def _relationship_elements(data: bytes) -> list[Element]:
    root = read_document(data).root
    if (root.namespace, root.local) != (RELATIONSHIPS, "Relationships"):
        raise FormatError("a part of relationships holds something else", got=f"<{root.name[:60]}>")
    found = list(root.elements("Relationship"))
    names = [one.get("Id") or "" for one in found]
    if len(set(names)) != len(names) or "" in names:
        raise FormatError("relationships have no id, or one twice")
    return found


def _relationship(element: Element) -> Relationship:
    said = {name: element.get(name) or "" for name in ("Id", "Type", "Target")}
    return Relationship(said["Id"], said["Type"], said["Target"], element.get("TargetMode") or "Internal")


def selected_relationships(data: bytes, transform: Element) -> tuple[bytes, Sequence[Relationship]]:
    """What the relationship transform makes of a part: the octets that are digested, and the relationships that it leaves out.

    ECMA-376 part 2, 13.2.4.24: those with a named id or type are kept, sorted by id, each with its target mode; all else is removed.

    Raises:
        FormatError: the part or the transform is damaged.
    """
    ids = {one.get("SourceId") for one in transform.elements("RelationshipReference", SIGNATURE_NAMESPACE)}
    types = {one.get("SourceType") for one in transform.elements("RelationshipsGroupReference", SIGNATURE_NAMESPACE)}
    if not ids and not types:
        raise FormatError("a relationship transform selects nothing")
    found = [_relationship(one) for one in _relationship_elements(data)]
    kept = sorted((one for one in found if one.id in ids or one.type in types), key=lambda one: one.id.encode("utf-16-be"))
    left_out = [one for one in found if not (one.id in ids or one.type in types)]
    return _written(kept), left_out


def _written(relationships: Sequence[Relationship]) -> bytes:
    scope = {"": RELATIONSHIPS}
    root = Element("Relationships", RELATIONSHIPS, "Relationships", (), scope, scope, None)
    for one in relationships:
        said = (("Id", one.id), ("Target", one.target), ("TargetMode", one.mode), ("Type", one.type))
        root.children.append(Element.of("Relationship", said, root))
    return canonical(root)
