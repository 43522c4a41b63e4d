import io
import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from csv_gate.gate import run
from csv_gate.model.result import RunResult
from csv_gate.report import render
from tests.builders import compound
from tests.builders.plans import plan, target
from tests.builders.results import green_run, red_run
from tests.builders.tree import AUDIT, code, policy_for, tree


@cache
def validator() -> Any:
    schema = json.loads((resources.files("csv_gate") / "schemas" / "result.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def faults(result: RunResult) -> list[str]:
    return [f"{fault.json_path}: {fault.message}" for fault in validator().iter_errors(written(result))]


def written(result: RunResult) -> Any:
    out = io.StringIO()
    render("json", result, out)
    return json.loads(out.getvalue())


@pytest.mark.parametrize("result", [red_run(), green_run()], ids=["red", "green"])
def test_a_result_with_one_of_everything_fits_the_schema(result: RunResult) -> None:
    assert faults(result) == []


@pytest.mark.parametrize("options", [("Enabled:UMCI",), AUDIT, ()], ids=["enforced", "audit", "no user mode"])
def test_a_real_run_fits_the_schema(tmp_path: Path, options: tuple[str, ...]) -> None:
    good, bad = code("good"), code("bad")
    tree(tmp_path, {"good.dll": good, "bad.dll": bad, "denied.dll": code("x"), "cut.dll": good[:700], "x.txt": b"text"})
    tree(tmp_path, {"a.ps1": b"exit", "a.vbs": b"x = 1", "a.msi": compound.compound({"Table": b"rows"})})
    (tmp_path / "link").symlink_to("nowhere")
    of = plan(tmp_path, targets=[target(policy_for(good, denied=[code("x")], options=options))])
    with run(of) as result:
        assert faults(result) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda row: row.pop("owner"), "$.artifacts[0]"),
        (lambda row: row.update(more=1), "$.artifacts[0]"),
        (lambda row: row["verdicts"][0].update(decision="maybe"), "$.artifacts[0].verdicts[0].decision"),
        (lambda row: row["facts"]["digests"].update(sha256="AB" * 32), "$.artifacts[0].facts.digests"),
    ],
    ids=["a member less", "a member more", "an unknown decision", "an upper-case digest"],
)
def test_the_schema_holds_the_contract_and_not_just_any_json(change: Any, where: str) -> None:
    value = written(red_run())
    change(value["artifacts"][0])
    assert any(fault.json_path.startswith(where) for fault in validator().iter_errors(value))
