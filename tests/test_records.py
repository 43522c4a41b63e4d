"""Records are the standard library's dataclasses in every respect that the project uses."""

from __future__ import annotations

import ast
import dataclasses
import pickle
from pathlib import Path
from typing import Any

import pytest

from csv_gate.records import FEW, dataclass, field, fields, is_dataclass, replace
from csv_gate.records.rows import NamedTuple

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    x: int
    y: int = 2
    names: list[str] = field(default_factory=list)
    note: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Sum:
    left: int
    right: int
    total: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", self.left + self.right)


def fresh_point() -> type:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Point:
        x: int
        y: int = 2
        names: list[str] = field(default_factory=list)
        note: str = field(default="", compare=False, repr=False)

    return Point


def fresh_sum() -> type:
    @dataclass(slots=True)
    class Sum:
        left: int
        right: int
        total: int = field(init=False)

        def __post_init__(self) -> None:
            self.total = self.left + self.right

    return Sum


FRESH = {"Point": fresh_point, "Sum": fresh_sum}
"""Makers of classes that have no instance yet."""


@dataclass(slots=True)
class Counter:
    count: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed(Named):
    place: str = "here"


@dataclass(frozen=True, slots=True)
class Nothing: ...


class Pair(NamedTuple):
    """Two."""

    left: int
    right: int = 5

    @property
    def total(self) -> int:
        return self.left + self.right


def test_fields_defaults_and_factories_are_those_of_the_class() -> None:
    one, other = Point(x=1), Point(x=1)
    assert (one.x, one.y, one.names, one.note) == (1, 2, [], "")
    assert one.names is not other.names
    assert [field.name for field in dataclasses.fields(Point)] == ["x", "y", "names", "note"]
    assert dataclasses.replace(one, y=5).y == 5
    assert not hasattr(one, "__dict__")


def test_what_is_set_after_the_start_is_part_of_the_instance() -> None:
    assert Sum(1, 2).total == 3
    assert Sum(1, 2) == Sum(1, 2)
    assert repr(Sum(1, 2)) == "Sum(left=1, right=2, total=3)"


@pytest.mark.parametrize(
    ("kind", "values", "named"),
    [
        ("Point", (), {}),
        ("Point", (1,), {}),
        ("Point", (), {"x": 1, "z": 1}),
        ("Sum", (1,), {}),
        ("Sum", (1, 2, 3), {}),
        ("Sum", (1,), {"left": 2}),
        ("Sum", (1, 2), {"left": 2}),
        ("Sum", (1, 2), {"total": 3}),
    ],
)
@pytest.mark.parametrize("instances_before", [0, 1, FEW + 1])
def test_wrong_arguments_are_refused_at_the_first_and_at_later_instances(
    kind: str, values: tuple[Any, ...], named: dict[str, Any], instances_before: int
) -> None:
    fresh: Any = FRESH[kind]()
    for _ in range(instances_before):
        fresh(**{"Point": {"x": 1}, "Sum": {"left": 1, "right": 2}}[kind])
    for _ in range(2):
        with pytest.raises(TypeError, match=r"__init__\(\)"):
            fresh(*values, **named)


def test_the_first_instances_are_as_the_later_ones() -> None:
    kind: Any = FRESH["Point"]()
    points = [kind(x=number, names=["a"]) for number in range(2 * FEW)]
    assert [(point.x, point.y, point.names, point.note) for point in points] == [(n, 2, ["a"], "") for n in range(2 * FEW)]
    assert kind(x=1).names is not kind(x=1).names
    sums: Any = FRESH["Sum"]()
    assert [sums(number, right=1).total for number in range(2 * FEW)] == [number + 1 for number in range(2 * FEW)]


def test_equal_are_instances_of_one_class_whose_compared_fields_are_equal() -> None:
    assert Point(x=1, note="a") == Point(x=1, note="b")
    assert Point(x=1) != Point(x=2)
    other: object = (1, 2, [], "")
    assert Point(x=1) != other
    assert Nothing() == Nothing()
    assert hash(Sum(1, 2)) == hash(Sum(1, 2))
    assert hash(Nothing()) == hash(Nothing())
    assert Counter(1) == Counter(1)
    assert Counter(1) != Counter(2)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Counter(1))


def test_without_comparing_each_instance_equals_itself_alone() -> None:
    one = Named("a")
    assert one == one
    assert one != Named("a")
    assert len({one, Named("a")}) == 2


def test_a_frozen_instance_can_be_neither_changed_nor_emptied() -> None:
    one = Sum(1, 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.left = 5  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del one.left
    other = Counter()
    other.count += 1
    assert other.count == 1


def test_printing_leaves_out_what_is_not_shown() -> None:
    assert repr(Point(x=1, note="secret")) == "Point(x=1, y=2, names=[])"


@pytest.mark.parametrize("one", [Point(x=1, names=["a"], note="b"), Sum(1, 2), Counter(7), Nothing()])
def test_instances_cross_to_another_process(one: object) -> None:
    other = pickle.loads(pickle.dumps(one))
    assert other == one
    assert repr(other) == repr(one)


def test_a_class_inherits_fields_and_adds_its_own() -> None:
    one = Placed("a", place="there")
    assert (one.name, one.place) == ("a", "there")
    assert Placed("a") == Placed("a")


def test_a_class_body_keeps_the_methods_it_has() -> None:
    @dataclass(frozen=True, slots=True)
    class Own:
        value: int

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Own)

        def __hash__(self) -> int:
            return 1

    assert repr(Own(1)) == "own"
    assert Own(1) == Own(2)
    assert hash(Own(1)) == 1


def test_the_functions_of_the_standard_library_take_records_too() -> None:
    one = Sum(1, 2)
    assert dataclasses.is_dataclass(one)
    assert dataclasses.asdict(Point(x=1, names=["a"])) == {"x": 1, "y": 2, "names": ["a"], "note": ""}
    assert dataclasses.replace(one, left=5) == Sum(5, 2)
    assert [field.name for field in dataclasses.fields(Placed)] == ["name", "place"]
    with pytest.raises(ValueError, match="total"):
        dataclasses.replace(one, total=5)


def test_a_copy_differs_in_what_is_given_alone() -> None:
    assert replace(Point(x=1, note="a"), y=5) == Point(x=1, y=5)
    assert replace(Point(x=1, note="a"), y=5).note == "a"
    assert replace(Sum(1, 2), left=5).total == 7
    with pytest.raises(ValueError, match="total"):
        replace(Sum(1, 2), total=5)
    with pytest.raises(TypeError):
        replace(Point(x=1), z=5)  # type: ignore[call-arg]


def test_fields_tell_what_is_said_of_them() -> None:
    assert [(one.name, one.compare, one.repr, one.kw_only) for one in fields(Point)] == [
        ("x", True, True, True),
        ("y", True, True, True),
        ("names", True, True, True),
        ("note", False, False, True),
    ]
    assert [one.name for one in fields(Placed("a"))] == ["name", "place"]
    assert (is_dataclass(Sum), is_dataclass(Sum(1, 2)), is_dataclass(Exception)) == (True, True, False)
    strangers: Any = Exception
    with pytest.raises(TypeError):
        fields(strangers)


def test_a_default_that_all_instances_would_share_is_refused() -> None:
    @dataclass(kw_only=True)
    class Shared:
        names: list[str] = []  # noqa: RUF012, that is what is tried

    with pytest.raises(ValueError, match="mutable"):
        Shared()


def test_nothing_of_the_package_loads_the_standard_librarys_dataclasses_while_it_starts() -> None:
    """It brings `inspect` and Python's parser; and a `field` of its own would be taken for a default."""
    users = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "csv_gate").rglob("*.py")
        if path.parent.name != "records"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.ImportFrom) and node.module == "dataclasses")
        or (isinstance(node, ast.Import) and any(alias.name == "dataclasses" for alias in node.names))
    }

    assert users == set()


def test_a_row_is_a_tuple_whose_fields_have_names() -> None:
    pair = Pair(1, right=2)
    assert pair == (1, 2)
    assert (pair.left, pair.right, pair.total, Pair(left=1).total) == (1, 2, 3, 6)
    assert pair._replace(left=3) == (3, 2)
    assert repr(pair) == "Pair(left=1, right=2)"
    assert pickle.loads(pickle.dumps(pair)) == pair
    assert type(pickle.loads(pickle.dumps(pair))) is Pair
    assert (Pair.__doc__, Pair.__module__, Pair._fields) == ("Two.", __name__, ("left", "right"))
    assert not hasattr(pair, "__dict__")
    with pytest.raises(AttributeError):
        pair.left = 2  # type: ignore[misc]


def test_a_row_is_refused_the_arguments_that_a_function_would_be() -> None:
    kind: Any = Pair
    for values, named in (((), {}), ((1, 2, 3), {}), ((1,), {"left": 2}), ((1,), {"middle": 2})):
        with pytest.raises(TypeError, match=r"__new__\(\)"):
            kind(*values, **named)
