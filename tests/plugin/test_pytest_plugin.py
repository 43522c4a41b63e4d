"""The pytest plugin as a test suite sees it: pytest inside pytest."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import csv_gate.gate
import csv_gate.signatures.keys
import csv_gate.testing
from tests.builders.tree import AUDIT, code, policy_for, tree

pytest_plugins = ["pytester"]
PRELOADED = (csv_gate.gate, csv_gate.signatures.keys, csv_gate.testing)
"""A run in this process forgets what it imported, and some libraries cannot be imported a second time."""
ROOT = Path(__file__).parent.parent.parent
GOOD, BAD = code("good"), code("bad")
PASSING = "def test_arithmetic():\n    assert 1 + 1 == 2\n"


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with one test, a build output and a policy, that has csv-gate installed."""
    entry = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]["pytest11"]
    (name, module), *others = entry.items()
    assert not others
    tree(
        pytester.path,
        {
            "site/csv_gate-0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: csv-gate\nVersion: 0\n",
            "site/csv_gate-0.dist-info/entry_points.txt": f"[pytest11]\n{name} = {module}\n".encode(),
            "build/good.dll": GOOD,
            "policy.xml": policy_for(GOOD),
            "test_sums.py": PASSING.encode(),
        },
    )
    monkeypatch.syspath_prepend(pytester.path / "site")
    monkeypatch.setenv("PYTHONPATH", f"{pytester.path / 'site'}:{ROOT}".replace(":", ";" if sys.platform == "win32" else ":"))
    for variable in ("PYTEST_ADDOPTS", "CSV_GATE_CONFIG", "CSV_GATE_POLICY", "CSV_GATE_TARGET", "CSV_GATE_MODE"):
        monkeypatch.delenv(variable, raising=False)
    settings(pytester)
    return pytester


def settings(suite: pytest.Pytester, *lines: str) -> None:
    suite.makeini("\n".join(["[pytest]", "csv_gate_policies = policy.xml", "filterwarnings = error", *lines]))


def with_denied(suite: pytest.Pytester) -> pytest.Pytester:
    tree(suite.path, {"build/bad.dll": BAD})
    return suite


def run(suite: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """In a process of its own only where it matters: starting one takes longer than the test."""
    start = suite.runpytest_subprocess if "-n2" in arguments or "no:csv_gate" in arguments else suite.runpytest_inprocess
    return start("-p", "no:cacheprovider", *arguments)


def test_without_the_option_nothing_is_judged(suite: pytest.Pytester) -> None:
    run(with_denied(suite)).assert_outcomes(passed=1)


def test_each_artifact_is_an_item_beside_the_other_tests(suite: pytest.Pytester) -> None:
    done = run(with_denied(suite), "--csv-gate", "build", "--collect-only", "-q")
    assert done.outlines[:4] == [
        "test_sums.py::test_arithmetic",
        "csv-gate::build/bad.dll[policy]",
        "csv-gate::build/good.dll[policy]",
        "csv-gate::the run as a whole",
    ]


def test_a_green_output_passes(suite: pytest.Pytester) -> None:
    done = run(suite, "--csv-gate", "build")
    done.assert_outcomes(passed=3)
    assert done.ret == 0


def test_a_denied_artifact_fails_with_the_diagnostic_and_without_a_traceback(suite: pytest.Pytester) -> None:
    done = run(with_denied(suite), "--csv-gate", "build")
    done.assert_outcomes(passed=3, failed=1)
    done.stdout.fnmatch_lines(["*csv-gate: build/bad.dll*", "error[[]CSV201]: no rule of * allows it", "*= help: *"])
    done.stdout.no_fnmatch_line("*Traceback*")
    done.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_the_marker_chooses_the_artifacts_alone(suite: pytest.Pytester) -> None:
    run(suite, "--csv-gate", "build", "-m", "csv_gate").assert_outcomes(passed=2, deselected=1)
    run(suite, "--csv-gate", "build", "-m", "not csv_gate", "--strict-markers").assert_outcomes(passed=1, deselected=2)


def test_workers_of_xdist_judge_the_same_items(suite: pytest.Pytester) -> None:
    done = run(with_denied(suite), "--csv-gate", "build", "-n2")
    done.assert_outcomes(passed=3, failed=1)
    done.stdout.fnmatch_lines(["error[[]CSV201]: no rule of * allows it"])


def test_workers_of_xdist_tell_why_nothing_can_be_judged(suite: pytest.Pytester) -> None:
    done = run(suite, "--csv-gate", "nowhere", "-n2")
    assert done.ret != 0
    done.stdout.fnmatch_lines(["*nowhere*"])


def test_the_result_that_xdist_shared_is_gone_afterwards(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = suite.mkdir("temporary")
    monkeypatch.setenv("TMPDIR", str(folder))
    run(suite, "--csv-gate", "build", "-n2").assert_outcomes(passed=3)
    assert [path.name for path in folder.iterdir() if path.name.startswith("csv-gate")] == []


def test_the_plugin_can_be_blocked(suite: pytest.Pytester) -> None:
    suite.makeini("[pytest]\n")
    run(suite, "-p", "no:csv_gate").assert_outcomes(passed=1)
    blocked = run(suite, "-p", "no:csv_gate", "--csv-gate", "build")
    assert blocked.ret == pytest.ExitCode.USAGE_ERROR


def test_a_junit_report_holds_the_facts_of_each_artifact(suite: pytest.Pytester) -> None:
    run(with_denied(suite), "--csv-gate", "build", "--junitxml=report.xml")
    cases = {
        case.get("name"): {one.get("name"): str(one.get("value")) for one in case.iter("property")}
        for case in ElementTree.parse(suite.path / "report.xml").iter("testcase")
    }
    assert cases["build/bad.dll[policy]"]["csv_gate.decision"] == "denied"
    assert cases["build/bad.dll[policy]"]["csv_gate.checks"] == "CSV201"
    assert cases["build/good.dll[policy]"]["csv_gate.decision"] == "allowed"
    assert len(cases["build/good.dll[policy]"]["csv_gate.sha256"]) == 64


def test_an_audited_denial_passes_as_it_does_on_the_command_line(suite: pytest.Pytester) -> None:
    tree(with_denied(suite).path, {"policy.xml": policy_for(GOOD, options=AUDIT)})
    run(suite, "--csv-gate", "build").assert_outcomes(passed=4)
    settings(suite, "csv_gate_mode = enforce")
    run(suite, "--csv-gate", "build").assert_outcomes(passed=3, failed=1)


def test_what_no_policy_governs_is_skipped_with_the_reason(suite: pytest.Pytester) -> None:
    tree(suite.path, {"policy.xml": policy_for(GOOD, options=())})
    done = run(suite, "--csv-gate", "build", "-rs")
    done.assert_outcomes(passed=2, skipped=1)
    done.stdout.fnmatch_lines(["SKIPPED * no policy governs it: *"])


def test_a_project_without_tests_judges_its_output(suite: pytest.Pytester) -> None:
    (suite.path / "test_sums.py").unlink()
    run(suite, "--csv-gate", "build").assert_outcomes(passed=2)


def test_the_settings_of_the_guide_are_understood(suite: pytest.Pytester) -> None:
    (suite.path / "tox.ini").unlink()
    guide = re.findall(r"^```toml\n(.*?)^```", (ROOT / "docs/pytest.md").read_text("utf-8"), re.M | re.S)
    config = b"version: 1\ntargets:\n  production:\n    policies: [nowhere.xml]\n"
    policies = {"policies/base.xml": policy_for(GOOD), "policies/supplemental.xml": policy_for(GOOD, BAD)}
    tree(with_denied(suite).path, {"pyproject.toml": guide[0].encode(), "csv-gate.yaml": config, **policies})
    done = run(suite, "--csv-gate", "build", "-v")
    done.stdout.fnmatch_lines(["csv-gate::build/bad.dll[[]production]*"])


def test_a_mode_that_does_not_exist_ends_the_collection(suite: pytest.Pytester) -> None:
    settings(suite, "csv_gate_mode = strict")
    assert run(suite, "--csv-gate", "build").ret == pytest.ExitCode.INTERRUPTED


def test_targets_come_from_the_configuration_file(suite: pytest.Pytester) -> None:
    config = "version: 1\ntargets:\n  one:\n    policies: [policy.xml]\n  two:\n    policies: [policy.xml]\n"
    tree(suite.path, {"gate/csv-gate.yaml": config.encode(), "gate/policy.xml": policy_for(GOOD)})
    suite.makeini("[pytest]\ncsv_gate_config = gate/csv-gate.yaml\n")
    run(suite, "--csv-gate", "build").assert_outcomes(passed=4)
    suite.makeini("[pytest]\ncsv_gate_config = gate/csv-gate.yaml\ncsv_gate_target = two\n")
    done = run(suite, "--csv-gate", "build", "-v")
    done.assert_outcomes(passed=3)
    done.stdout.fnmatch_lines(["*build/good.dll[[]two] PASSED*"])


@pytest.mark.parametrize(
    ("policy", "told"), [(b"<SiPolicy", "*policy.xml*"), (policy_for(GOOD).replace(b"SiPolicy", b"Policy"), "*policy.xml*")]
)
def test_a_policy_that_cannot_be_read_ends_the_collection(suite: pytest.Pytester, policy: bytes, told: str) -> None:
    tree(suite.path, {"policy.xml": policy})
    done = run(suite, "--csv-gate", "build")
    assert done.ret == pytest.ExitCode.INTERRUPTED
    done.stdout.fnmatch_lines(["*ERROR collecting csv-gate*", "error: *", told])


def test_an_empty_output_is_not_green(suite: pytest.Pytester) -> None:
    suite.mkdir("empty")
    done = run(suite, "--csv-gate", "empty")
    assert done.ret == pytest.ExitCode.INTERRUPTED
    done.stdout.fnmatch_lines(["*there is nothing to check*"])


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_a_file_name_cannot_speak_to_the_terminal(suite: pytest.Pytester) -> None:
    tree(suite.path, {"build/\x1b[31m\n::error::x.dll": BAD})
    done = run(suite, "--csv-gate", "build", "-v", "--color=no")
    done.assert_outcomes(passed=3, failed=1)
    assert "\x1b[31m" not in done.stdout.str()
    assert not any(line.startswith("::error") for line in done.outlines)


def test_the_fixture_judges_by_the_settings_of_the_suite(suite: pytest.Pytester) -> None:
    with_denied(suite)
    suite.makepyfile(
        test_gate="""
        def test_judging(csv_gate):
            assert csv_gate("build/good.dll").is_allowed
            assert int(csv_gate("build/bad.dll").exit_code) == 1
            assert csv_gate("build/bad.dll", policies=["other.xml"]).is_allowed
        """
    )
    tree(suite.path, {"other.xml": policy_for(BAD)})
    run(suite, "test_gate.py").assert_outcomes(passed=1)


def test_an_assertion_fails_with_the_diagnostic(suite: pytest.Pytester) -> None:
    with_denied(suite)
    suite.makepyfile(
        test_gate="""
        from csv_gate.testing import assert_allowed

        def test_good():
            assert_allowed("build/good.dll", policy="policy.xml")

        def test_bad():
            assert_allowed("build/bad.dll", policy="policy.xml")
        """
    )
    done = run(suite, "test_gate.py")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*the target would not allow it", "*error[[]CSV201]: no rule of * allows it"])
    done.stdout.no_fnmatch_line("*testing.py*")


def test_importing_the_plugin_loads_only_what_pytest_has_loaded() -> None:
    probe = "import sys, pytest, _pytest.config; b = set(sys.modules); import csv_gate.pytest_plugin; print(*sorted(set(sys.modules) - b))"
    loaded = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert loaded.split() == ["csv_gate", "csv_gate.pytest_plugin"]
