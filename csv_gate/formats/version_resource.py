"""The version resource of a PE image as code integrity reads it: file version and four names.

Source: "VS_VERSIONINFO", "VS_FIXEDFILEINFO", "StringFileInfo", "VarFileInfo" (Microsoft Learn, windows/win32/menurc). Nodes are
{u16 wLength, u16 wValueLength, u16 wType, UTF-16 key, value, children}, each part aligned to 4 bytes; children are walked by their
own length, four levels deep and never further.

Which of several resources and string tables Windows reads is documented only in part (GetFileVersionInfoEx with FILE_VER_GET_NEUTRAL,
VerQueryValue). The rule here: the language-neutral resource, or the only one; in it the string table of the first Translation
pair, then that language with code page 04E4, then 04B0. Where that finds no table although there are some, or several resources
disagree, the names are *unknown*, not absent. The version is the number in VS_FIXEDFILEINFO, never a text. Nothing is trimmed:
`rtkio64.sys ` is a real name.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from csv_gate.errors import ArtifactError, FormatError
from csv_gate.formats.pe_layout import PeLayout
from csv_gate.formats.pe_resources import find_version_resources
from csv_gate.limits import Limits
from csv_gate.model.facts import FactName, Gap, VersionFacts
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass
from csv_gate.records.rows import NamedTuple

_NODE = struct.Struct("<HHH")
_FIXED = struct.Struct("<IIHHHH")
_FIXED_SIGNATURE: Final = 0xFEEF04BD
_FIXED_BYTES: Final = 52
_FALLBACK_CODE_PAGES: Final = (0x04E4, 0x04B0)
_MAX_NODES: Final = 4096
"""Of one resource, all levels together; its length is at most 64 KiB and real ones have about 20."""
_NAMES: Final = frozenset({"originalfilename", "internalname", "filedescription", "productname"})


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionReading:
    """`facts` is `None` where there is no version resource or it cannot be read; then, for the latter, a gap says so."""

    facts: VersionFacts | None = None
    problems: tuple[Problem, ...] = ()
    gaps: tuple[Gap, ...] = ()


def read_version(view: memoryview, layout: PeLayout, limits: Limits) -> VersionReading:
    """Read the version resource. Never raises on bad input."""
    try:
        resources = find_version_resources(view, layout, limits)
        readings = {resource.language: _read_resource(resource.data, limits) for resource in resources}
    except ArtifactError as error:
        problem = Problem(code=ProblemCode.VERSION_MALFORMED, detail=error.title)
        return VersionReading(problems=(problem,), gaps=(Gap(what=FactName.VERSION, why=error.title),))
    if not readings:
        return VersionReading()
    if len(readings) == 1:
        return next(iter(readings.values()))
    if 0 in readings:
        return readings[0]
    distinct = list(dict.fromkeys(readings.values()))
    if len(distinct) == 1:
        return distinct[0]
    return _disagreement(distinct, sorted(readings))


def _disagreement(readings: list[VersionReading], languages: list[int]) -> VersionReading:
    why = f"the image has {len(languages)} version resources that differ, none of them language-neutral"
    versions = {reading.facts.file_version if reading.facts else None for reading in readings}
    gaps = [Gap(what=FactName.VERSION_NAMES, why=why)]
    if len(versions) > 1:
        gaps.append(Gap(what=FactName.VERSION, why=why))
    problem = Problem(code=ProblemCode.VERSION_LANGUAGE_UNSPECIFIED, detail=why)
    facts = None if len(versions) > 1 else VersionFacts(file_version=versions.pop())
    return VersionReading(facts=facts, problems=(problem,), gaps=tuple(gaps))


class _Node(NamedTuple):
    key: str
    """Lower case: VerQueryValue does not mind case."""
    value_offset: int
    value_length: int
    """As stated; for text in characters, for the rest in bytes."""
    end: int


def _read_resource(data: bytes, limits: Limits) -> VersionReading:
    budget = iter(range(_MAX_NODES))
    root = _node(data, 0, len(data))
    if root.key != "vs_version_info":
        raise FormatError("the version resource does not start with VS_VERSION_INFO")
    file_version = _fixed_version(data, root)
    tables: dict[str, dict[str, str]] = {}
    translations: list[tuple[int, int]] = []
    for block in _children(data, _align(root.value_offset + root.value_length), root.end, budget):
        if block.key == "stringfileinfo":
            for table in _children(data, _align(block.value_offset), block.end, budget):
                tables.setdefault(table.key, _strings(data, table, budget))
        elif block.key == "varfileinfo":
            for variable in _children(data, _align(block.value_offset), block.end, budget):
                if variable.key == "translation":
                    translations += _translations(data, variable)
    return _names(VersionFacts(file_version=file_version), tables, translations, limits)


def _names(
    facts: VersionFacts, tables: dict[str, dict[str, str]], translations: list[tuple[int, int]], limits: Limits
) -> VersionReading:
    if not tables:
        return VersionReading(facts=facts)
    if not translations:
        return _unspecified(facts, "the version resource has string tables, but no Translation says which one counts")
    language, code_page = translations[0]
    keys = [f"{language:04x}{page:04x}" for page in (code_page, *_FALLBACK_CODE_PAGES)]
    chosen = [tables[key] for key in dict.fromkeys(keys) if key in tables]
    if not chosen:
        return _unspecified(facts, f"no string table fits the first Translation entry {keys[0]}")
    found = {key: text for table in reversed(chosen) for key, text in table.items()}
    if any(len(text) > limits.max_text_characters for text in found.values()):
        why = f"a name in the version resource has more than max_text_characters ({limits.max_text_characters})"
        return VersionReading(facts=facts, gaps=(Gap(what=FactName.VERSION_NAMES, why=why),))
    named = VersionFacts(
        original_filename=found.get("originalfilename"),
        internal_name=found.get("internalname"),
        file_description=found.get("filedescription"),
        product_name=found.get("productname"),
        file_version=facts.file_version,
    )
    return VersionReading(facts=named)


def _unspecified(facts: VersionFacts, why: str) -> VersionReading:
    return VersionReading(
        facts=facts,
        problems=(Problem(code=ProblemCode.VERSION_LANGUAGE_UNSPECIFIED, detail=why),),
        gaps=(Gap(what=FactName.VERSION_NAMES, why=why),),
    )


def _align(offset: int) -> int:
    return offset + -offset % 4


def _node(data: bytes, at: int, limit: int) -> _Node:
    if at + _NODE.size > limit:
        raise FormatError("the version resource is cut off")
    length, value_length, _ = _NODE.unpack_from(data, at)
    end = at + length
    if length < _NODE.size or end > limit:
        raise FormatError(f"a block of the version resource has the impossible length {length}")
    key, key_end = _text(data, at + _NODE.size, end)
    if key_end > end:
        raise FormatError("a key in the version resource has no end")
    return _Node(key.lower(), key_end + -key_end % 4, value_length, end)


def _children(data: bytes, at: int, end: int, budget: Iterator[int]) -> Iterator[_Node]:
    while at + _NODE.size <= end:
        if data[at : at + 2] == b"\0\0":  # Some compilers pad with zeros.
            return
        if next(budget, None) is None:
            raise FormatError(f"the version resource has more than {_MAX_NODES} blocks")
        node = _node(data, at, end)
        yield node
        at = node.end + -node.end % 4


def _text(data: bytes, at: int, end: int) -> tuple[str, int]:
    """UTF-16 up to its NUL, and the offset behind that NUL (beyond `end` where there is none)."""
    stop = data.find(b"\0\0", at, end)
    while stop >= 0 and (stop - at) % 2:
        stop = data.find(b"\0\0", stop + 1, end)
    if stop < 0:
        stop = end - (end - at) % 2
    return data[at:stop].decode("utf-16-le", "surrogatepass"), stop + 2


def _fixed_version(data: bytes, root: _Node) -> tuple[int, int, int, int] | None:
    if root.value_length == 0:
        return None
    if root.value_length < _FIXED_BYTES or root.value_offset + _FIXED_BYTES > root.end:
        raise FormatError("VS_FIXEDFILEINFO is cut off")
    signature, _, minor, major, revision, build = _FIXED.unpack_from(data, root.value_offset)
    if signature != _FIXED_SIGNATURE:
        raise FormatError("VS_FIXEDFILEINFO has no signature")
    return major, minor, build, revision


def _strings(data: bytes, table: _Node, budget: Iterator[int]) -> dict[str, str]:
    """The strings of one table that matter, by lower-case key; of equal keys the first counts."""
    strings: dict[str, str] = {}
    for node in _children(data, _align(table.value_offset), table.end, budget):
        if node.key in _NAMES:
            text, _ = _text(data, node.value_offset, node.end) if node.value_length else ("", 0)
            strings.setdefault(node.key, text)
    return strings


def _translations(data: bytes, variable: _Node) -> list[tuple[int, int]]:
    end = min(variable.value_offset + variable.value_length, variable.end)
    pairs = range(variable.value_offset, end - 3, 4)
    return [struct.unpack_from("<HH", data, at) for at in pairs]
