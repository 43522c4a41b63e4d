"""YAML files that people write, read strictly: positions kept, every fault told at once, sizes bounded.

`nodes` turns text into a tree with positions; `typed` turns a tree into frozen dataclasses; `schema` turns the same dataclasses into
a JSON Schema. The configuration and the waiver file are both read this way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from csv_gate.documents.kinds import FilePattern, Secret, says
from csv_gate.documents.nodes import Mapping, Node, Plain, Scalar, Sequence, plain, read_yaml, read_yaml_documents
from csv_gate.documents.typed import Origins, read_typed
from csv_gate.lazy import lazily

if TYPE_CHECKING:
    from csv_gate.documents.schema import schema_of
else:
    __getattr__ = lazily(__name__, {"schema_of": "schema"})

__all__ = [
    "FilePattern",
    "Mapping",
    "Node",
    "Origins",
    "Plain",
    "Scalar",
    "Secret",
    "Sequence",
    "plain",
    "read_typed",
    "read_yaml",
    "read_yaml_documents",
    "says",
    "schema_of",
]
