"""A JSON Schema (draft 2020-12) of a dataclass that `typed` reads: the same hints and metadata, so that the two can't part."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from datetime import date
from enum import Enum
from pathlib import Path
from typing import get_args, get_origin

from csv_gate.documents.kinds import DOC, ENV_NAME, HIGH, LOW, PATTERN, FilePattern, Secret
from csv_gate.documents.nodes import Plain
from csv_gate.documents.typed import file_fields, hint_of, is_required, without_none
from csv_gate.globs import MAX_PATTERN_CHARACTERS, Glob
from csv_gate.records import MISSING, Field, is_dataclass

Schema = dict[str, Plain]


def schema_of(kind: type, *, title: str, id: str) -> Schema:
    """The schema of a whole document. Dates are text here: YAML's own dates become text first.

    Whatever the reader accepts, the schema accepts. The reader alone checks what a schema can't say or need not: the grammar of globs, and
    the rules that a record's own `__post_init__` holds over its fields.
    """
    definitions: dict[str, Plain] = {}
    body = _record(kind, definitions)
    head: Schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": id, "title": title}
    return {**head, **body, "$defs": {name: definitions[name] for name in sorted(definitions)}}


def _record(kind: type, definitions: dict[str, Plain]) -> Schema:
    known = file_fields(kind)
    properties: dict[str, Plain] = {}
    for name, entry in known.items():
        value = _value(hint_of(kind, entry.name), entry, definitions)
        if not is_required(entry):  # `key:` without a value is the default
            value = {"anyOf": [value, {"type": "null"}]}
        doc = entry.metadata.get(DOC)
        default = _default(entry)
        properties[name] = {
            **({"description": doc} if doc else {}),
            **value,
            **({} if default is None else {"default": default}),
        }
    body: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    required: list[Plain] = [name for name, entry in known.items() if is_required(entry)]
    if required:
        body["required"] = required
    return body


def _default(entry: Field[object]) -> Plain:
    if entry.default is MISSING:
        return None
    if isinstance(entry.default, Enum):
        return str(entry.default.value)
    return entry.default if isinstance(entry.default, bool | int | str) else None


def _value(hint: object, entry: Field[object], definitions: dict[str, Plain]) -> Schema:
    hint = without_none(hint)
    origin = get_origin(hint)
    if origin is tuple:
        item = _value(get_args(hint)[0], entry, definitions)
        many: Schema = {"type": "array", "items": item}
        return {"anyOf": [item, many]} if _has_plain_form(get_args(hint)[0]) else many
    if origin is MappingType:
        return {"type": "object", "additionalProperties": _value(get_args(hint)[1], entry, definitions)}
    assert isinstance(hint, type)
    if is_dataclass(hint) and hint not in (Glob, FilePattern, Secret):
        return _reference(hint, definitions)
    return _plain(hint, entry)


def _has_plain_form(hint: object) -> bool:
    """Whether one scalar may stand for it, and so for a list of one."""
    hint = without_none(hint)
    return hint is not Secret and (
        not is_dataclass(hint) or hint in (Glob, FilePattern) or getattr(hint, "SHORTHAND", None) is not None
    )


def _reference(kind: type, definitions: dict[str, Plain]) -> Schema:
    name = kind.__name__
    if name not in definitions:
        definitions[name] = None  # holds the place: types are not recursive, but may be met twice
        body = _record(kind, definitions)
        shorthand: str | None = getattr(kind, "SHORTHAND", None)
        if shorthand is not None:
            entry = file_fields(kind)[shorthand]
            body = {"anyOf": [_value(hint_of(kind, entry.name), entry, definitions), body]}
        definitions[name] = body
    return {"$ref": f"#/$defs/{name}"}


def _plain(hint: type, entry: Field[object]) -> Schema:
    if hint is Secret:
        name: Schema = {"type": "string", "pattern": f"^{ENV_NAME.pattern}$"}
        return {"type": "object", "properties": {"env": name}, "required": ["env"], "additionalProperties": False}
    if hint is bool:
        return {"type": "boolean"}
    if hint is int:
        low, high = entry.metadata.get(LOW), entry.metadata.get(HIGH)
        return {
            "type": "integer",
            **({"minimum": low} if low is not None else {}),
            **({"maximum": high} if high is not None else {}),
        }
    if hint is date:
        return {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
    if issubclass(hint, Enum):
        return {"enum": [str(member.value) for member in hint]}
    text: Schema = {"type": "string", "minLength": 1}
    if hint is Glob:
        text["maxLength"] = MAX_PATTERN_CHARACTERS
    elif hint is str and PATTERN in entry.metadata:
        text["pattern"] = f"^(?:{entry.metadata[PATTERN]})$"
    assert hint in (str, Path, Glob, FilePattern)
    return text
