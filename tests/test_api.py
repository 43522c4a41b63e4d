"""What programs use: typed names under `csv_gate`, and every example of the documentation."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import csv_gate
from csv_gate import api
from tests.builders.containers import zip_of
from tests.builders.policy import BASE_ID, OTHER_ID, policy_xml, scenario_xml
from tests.builders.tree import code, policy_for, tree

ROOT = Path(__file__).parent.parent
EXAMPLES = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/api.md").read_text(encoding="utf-8"), re.M | re.S)
GOOD, BAD = code("good"), code("bad")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.splitlines()[-1][:40])
def test_an_example_of_the_documentation_runs(example: str) -> None:
    done = subprocess.run([sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


def test_the_package_has_the_names_of_the_api() -> None:
    assert {name for name in dir(csv_gate) if name in api.__all__} == set(api.__all__)
    assert all(getattr(csv_gate, name) is getattr(api, name) for name in api.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'verdict'"):
        csv_gate.verdict  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_package_loads_nothing_of_it() -> None:
    program = "import csv_gate, sys; print(sorted(name for name in sys.modules if name.startswith('csv_gate.')))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_file_is_judged(tmp_path: Path) -> None:
    tree(tmp_path, {"good.dll": GOOD, "bad.dll": BAD, "p.xml": policy_for(GOOD)})
    policies = csv_gate.load_policies(tmp_path / "p.xml")
    decisions = [
        csv_gate.evaluate(csv_gate.extract_facts(tmp_path / name), policies).decision for name in ("good.dll", "bad.dll")
    ]
    assert decisions == [csv_gate.Decision.ALLOWED, csv_gate.Decision.DENIED]


def test_a_set_without_a_base_is_refused(tmp_path: Path) -> None:
    data = policy_xml(kind="Supplemental Policy", policy_id=OTHER_ID, base_policy_id=BASE_ID, scenarios=[scenario_xml()])
    tree(tmp_path, {"p.xml": data})
    with pytest.raises(csv_gate.PolicyError, match="no base policy"):
        csv_gate.load_policies(tmp_path / "p.xml")
    with pytest.raises(csv_gate.PolicyError, match="no base policy"):
        csv_gate.load_policies()


def test_facts_are_those_of_one_file(tmp_path: Path) -> None:
    with pytest.raises(csv_gate.UsageError):
        csv_gate.extract_facts(tmp_path)
    with pytest.raises(csv_gate.UsageError):
        csv_gate.extract_facts(tmp_path / "absent.dll")


def test_a_tree_is_checked_by_a_configuration(tmp_path: Path) -> None:
    config = b"version: 1\nfail_on: never\ntargets:\n  prod:\n    policies: [p.xml]\n"
    tree(tmp_path, {"build/good.dll": GOOD, "build/bad.dll": BAD, "p.xml": policy_for(GOOD), "csv-gate.yaml": config})
    with csv_gate.check(tmp_path / "build", config=tmp_path / "csv-gate.yaml", evaluated_at=NOON, jobs=1) as result:
        assert [target.name for target in result.targets] == ["prod"]
        assert (result.summary.allowed, result.summary.denied, result.summary.exit_code) == (1, 1, 0)
    with csv_gate.check([tmp_path / "build"], config=tmp_path / "csv-gate.yaml", fail_on="error", jobs=1) as result:
        assert result.summary.exit_code == 1


def test_a_check_without_a_policy_is_a_usage_error(tmp_path: Path) -> None:
    tree(tmp_path, {"good.dll": GOOD})
    with pytest.raises(csv_gate.UsageError):
        csv_gate.check(tmp_path)


def test_the_facts_of_a_container_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of({"good.dll": code("good")}))
    facts = csv_gate.extract_facts(tmp_path / "a.zip")
    assert (facts.format, facts.gaps) == ("zip", ())
