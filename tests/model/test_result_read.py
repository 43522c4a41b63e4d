from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csv_gate.errors import UsageError
from csv_gate.model.result_read import SavedResult, read_result
from csv_gate.report import ReportOptions, render
from tests.builders.results import BuiltResult, artifact, denied, green_run, red_run, result


def written(run: BuiltResult | SavedResult) -> str:
    out = io.StringIO()
    render("json", run, out, ReportOptions())
    return out.getvalue()


@pytest.mark.parametrize("run", [red_run(), green_run()], ids=["red", "green"])
def test_what_was_written_is_read_back_equal(run: BuiltResult) -> None:
    read = read_result(written(run), path="r.json")
    assert read.artifacts == run.artifacts
    assert (read.run, read.targets, read.findings) == (run.run, run.targets, run.findings)
    assert written(read) == written(run)


@given(path=st.text(alphabet=st.characters(codec=None), min_size=1))
def test_any_path_survives_the_round_trip(path: str) -> None:
    run = result(artifact(path, denied()))
    text = written(run)
    text.encode("utf-8")
    assert read_result(text, path="r.json").artifacts == run.artifacts


def changed(change: tuple[str | int, ...], value: Any) -> str:
    document = json.loads(written(red_run()))
    inner = document
    for step in change[:-1]:
        inner = inner[step]
    inner[change[-1]] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("change", "value", "where", "expected"),
    [
        (("schema_version",), "2", "$.schema_version", '"1"'),
        (("artifacts", 0, "path"), 7, "$.artifacts[0].path", "a string"),
        (("artifacts", 2, "verdicts", 0, "decision"), "fine", "$.artifacts[2].verdicts[0].decision", "one of allowed, denied"),
        (("artifacts", 0, "size"), True, "$.artifacts[0].size", "a whole number"),
        (("artifacts", 0, "verdicts"), {}, "$.artifacts[0].verdicts", "an array"),
        (("summary", "exit_code"), 99, "$.summary.exit_code", "one of 0, 1"),
        (("summary",), None, "$.summary", "an object"),
        (("run", "evaluated_at"), "2026-01-01T00:00:00", "$.run.evaluated_at", "with its zone"),
        (("artifacts", 0, "facts", "version", "file_version"), "1.2.3", "file_version", "four numbers"),
        (("artifacts", 0, "facts", "signatures", 0, "chain_end"), None, "chain_end", "because the chain has certificates"),
    ],
)
def test_a_value_of_the_wrong_kind_names_its_path_and_what_was_expected(
    change: tuple[str | int, ...], value: Any, where: str, expected: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read_result(changed(change, value), path="r.json")
    assert where in caught.value.title
    assert expected in (caught.value.expected or "")
    assert str(caught.value).startswith("r.json: ")


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b"\xff\xfe{", b"[" * 100_000, b'{"schema_version": NaN}', b'"text"', b"1" * 10_000]
)
def test_what_is_no_result_is_a_usage_error(data: bytes) -> None:
    with pytest.raises(UsageError):
        read_result(data, path="r.json")


def test_a_member_that_is_not_known_is_passed_over() -> None:
    assert read_result(changed(("run", "new"), 1), path="r.json").run == red_run().run


def test_a_member_that_is_missing_is_named() -> None:
    document = json.loads(written(red_run()))
    del document["artifacts"][1]["gaps"]
    with pytest.raises(UsageError, match=r"lacks a member at \$\.artifacts\[1\]"):
        read_result(json.dumps(document), path="r.json")
