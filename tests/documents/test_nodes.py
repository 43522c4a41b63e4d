from __future__ import annotations

import pytest

from csv_gate.documents import Mapping, Scalar, Sequence, plain, read_yaml, read_yaml_documents
from csv_gate.documents.nodes import MAX_BYTES, whole_number
from csv_gate.errors import ConfigError


def test_everything_keeps_its_line_and_column() -> None:
    root = read_yaml(b"a: 1\nb:\n  - x\n  - {c: 'y'}\n", "f.yaml")
    assert isinstance(root, Mapping)
    items = root.get("b")
    assert isinstance(items, Sequence)
    last = items.items[1]
    assert isinstance(last, Mapping)
    assert [str(place) for place in (root.place, items.place, last.place)] == ["f.yaml:1:1", "f.yaml:3:3", "f.yaml:4:5"]
    value = last.get("c")
    assert value is not None
    assert str(value.place) == "f.yaml:4:9"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("x", "str", "x"),
        ("'1'", "str", "1"),
        ("1", "int", 1),
        ("-1", "int", -1),
        ("0x1F", "int", 31),
        ("1_000", "int", 1000),
        ("017", "int", None),
        ("1:30", "int", None),
        ("yes", "bool", True),
        ("off", "bool", False),
        ("~", "null", None),
        ("2027-01-31", "timestamp", "2027-01-31"),
        ("1.5", "float", "1.5"),
        ("=", "str", "="),
    ],
)
def test_plain_values_have_the_kind_that_yaml_gives_them(text: str, kind: str, value: object) -> None:
    node = read_yaml(f"- {text}".encode(), "x")
    assert isinstance(node, Sequence)
    item = node.items[0]
    assert isinstance(item, Scalar)
    assert item.kind == kind
    assert plain(item) == value


def test_numbers_that_nobody_writes_are_no_numbers() -> None:
    assert whole_number("9" * 30) is None
    assert whole_number("0b101") is None


def test_an_alias_stands_for_what_its_anchor_holds() -> None:
    assert plain(read_yaml(b"a: &x [1, 2]\nb: *x", "x")) == {"a": [1, 2], "b": [1, 2]}


def test_an_anchor_does_not_reach_into_the_next_document() -> None:
    with pytest.raises(ConfigError, match="stands for nothing"):
        read_yaml_documents(b"a: &x 1\n---\nb: *x", "x")


@pytest.mark.parametrize("data", [b"", b"  \n", b"# only words\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_an_empty_mapping(data: bytes) -> None:
    assert plain(read_yaml(data, "x")) == {}


def test_several_documents_are_read_up_to_a_bound() -> None:
    assert len(read_yaml_documents(b"a: 1\n---\nb: 2\n", "x")) == 2
    with pytest.raises(ConfigError, match="too many documents"):
        read_yaml_documents(b"---\na\n" * 5, "x", most=4)


def test_a_file_beyond_the_bound_is_refused_unread() -> None:
    with pytest.raises(ConfigError, match="too large"):
        read_yaml(b" " * MAX_BYTES + b"ab", "x")


def test_a_file_with_too_many_values_is_refused() -> None:
    with pytest.raises(ConfigError, match="holds too much"):
        read_yaml(b"[" + b"1," * 50_001 + b"]", "x")
