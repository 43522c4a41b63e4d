"""Wrong input gets a clear message, the right exit code, and leaves nothing half-written."""

from typing import Any

import pytest

from csv_gate.report import render
from tests.builders.tree import tree
from tests.cli.conftest import BAD, GOOD, Build, Command

ENTITIES = b'<!DOCTYPE x [<!ENTITY e "e">]><SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy">&e;</SiPolicy>'


@pytest.mark.parametrize("data", [b"not xml", b"", b"<SiPolicy", ENTITIES, b"\x00" * 100, GOOD], ids=str)
def test_a_policy_that_is_none_ends_with_2_and_names_the_file(gate: Command, build: Build, data: bytes) -> None:
    build.policy.write_bytes(data)
    outcome = gate(*build.check(), "-o", f"json={build.root}/r.json")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: ")
    assert str(build.policy) in outcome.err
    assert "Traceback" not in outcome.err
    assert not (build.root / "r.json").exists()


def test_a_policy_that_does_not_exist_ends_with_2(gate: Command, build: Build) -> None:
    build.policy.unlink()
    outcome = gate(*build.check())
    assert outcome.code == 2
    assert "No such file" in outcome.err


def test_a_supplemental_alone_is_refused_since_it_would_judge_nothing(gate: Command, build: Build) -> None:
    from tests.builders.policy import OTHER_ID, policy_xml

    build.policy.write_bytes(policy_xml(kind="Supplemental Policy", policy_id=OTHER_ID))
    outcome = gate(*build.check())
    assert outcome.code == 2
    assert "no base policy" in outcome.err


@pytest.mark.parametrize("size", [2, 63, 128, 400, 700])
def test_truncated_code_never_passes_for_allowed_code(gate: Command, build: Build, size: int) -> None:
    tree(build.output, {"cut.dll": GOOD[:size]})
    outcome = gate(*build.check(), "-o", "jsonl")
    assert "Traceback" not in outcome.err
    rows = [row for row in outcome.out.splitlines() if "cut.dll" in row]
    assert all('"decision":"allowed"' not in row for row in rows)
    assert outcome.code in (0, 1, 4)


def test_a_sparse_file_of_zeros_is_no_code_however_large(gate: Command, build: Build) -> None:
    with (build.output / "big.img").open("wb") as file:
        file.truncate(5 * 1024**3)
    outcome = gate(*build.check())
    assert outcome.code == 0
    assert "1 skipped" in outcome.err


def test_a_sparse_file_that_begins_like_code_is_undecided_and_named(gate: Command, build: Build) -> None:
    with (build.output / "big.dll").open("wb") as file:
        file.write(BAD)
        file.truncate(5 * 1024**3)
    outcome = gate(*build.check())
    assert outcome.code == 4
    assert "error[CSV801]" in outcome.out
    assert "max_artifact_bytes" in outcome.out


def test_a_damaged_catalog_in_the_build_is_told(gate: Command, build: Build) -> None:
    catalog = bytes.fromhex("3082010006092a864886f70d010702a081f23081ef02010131003081e206092b0601040182370a01")
    tree(build.output, {"broken.cat": catalog.ljust(300, b"\0")})
    outcome = gate(*build.check())
    assert "warning[CSV111]" in outcome.out
    assert "broken.cat" in outcome.out


@pytest.mark.parametrize("where", ["missing/r.json", "."], ids=["no such folder", "a folder"])
def test_a_report_that_cannot_be_written_is_found_before_any_work(
    gate: Command, build: Build, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("csv_gate.gate.run", lambda *_: pytest.fail("the run began"))
    outcome = gate(*build.check(), "-o", f"json={build.root / where}")
    assert outcome.code == 2
    assert outcome.err.startswith("error: the report cannot be written")
    assert sorted(path.name for path in build.root.iterdir()) == ["build", "policy.xml"]


def test_when_one_report_fails_no_other_appears_and_old_ones_stay(
    gate: Command, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = build.root / "r.json"
    old.write_text("old")

    def full(format: str, *rest: Any) -> None:
        render(format, *rest)
        if format == "junit":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("csv_gate.report.render", full)
    outcome = gate(*build.check(), "-o", f"json={old}", "-o", f"junit={build.root}/r.xml")
    assert outcome.code == 2
    assert "No space left on device" in outcome.err
    assert old.read_text() == "old"
    assert sorted(path.name for path in build.root.iterdir()) == ["build", "policy.xml", "r.json"]


def test_an_artifact_cannot_speak_to_the_terminal_by_its_name(gate: Command, build: Build) -> None:
    tree(build.output, {"\n::error::x\x1b[31m\u202e.dll": BAD})
    outcome = gate(*build.check())
    assert outcome.code == 1
    assert not any(line.startswith("::") for line in outcome.out.splitlines())
    assert "\x1b" not in outcome.out
    assert "\u202e" not in outcome.out


def test_a_bug_is_told_as_one_and_ends_with_5(gate: Command, build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("csv_gate.formats.extraction.extract", broken)
    quiet = gate(*build.check(), "-j", "1")
    loud = gate(*build.check(), "-j", "1", "-v")
    assert quiet.code == loud.code == 5
    assert "internal error: ZeroDivisionError" in quiet.err
    assert "good.dll" in quiet.err
    assert "please report" in quiet.err
    assert "Traceback" not in quiet.err
    assert "Traceback" in loud.err


def test_an_interrupted_run_ends_with_130(gate: Command, build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("csv_gate.formats.extraction.extract", interrupted)
    outcome = gate(*build.check(), "-j", "1", "-o", f"json={build.root}/r.json")
    assert outcome.code == 130
    assert not (build.root / "r.json").exists()


def test_a_root_certificate_that_is_none_ends_with_2(gate: Command, build: Build) -> None:
    tree(build.root, {"root.pem": b"nothing"})
    outcome = gate(*build.check(), "--root", build.root / "root.pem")
    assert outcome.code == 2
    assert "root.pem" in outcome.err


def test_all_faults_of_a_configuration_come_at_once(gate: Command, build: Build) -> None:
    tree(build.root, {"csv-gate.yaml": b"version: 1\nfail_on: sometimes\njobs: many\n"})
    outcome = gate("check", build.output, "--config", build.root / "csv-gate.yaml", "--policy", build.policy)
    assert outcome.code == 2
    assert "csv-gate.yaml:2" in outcome.err
    assert "csv-gate.yaml:3" in outcome.err


def test_a_policy_pattern_without_files_is_an_error_and_not_an_empty_policy(gate: Command, build: Build) -> None:
    config = b"version: 1\ntargets:\n  prod:\n    policies: [policies/*.xml]\n"
    tree(build.root, {"csv-gate.yaml": config})
    outcome = gate("check", build.output, "--config", build.root / "csv-gate.yaml")
    assert outcome.code == 2
    assert "policies/*.xml" in outcome.err
