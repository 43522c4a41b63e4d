"""Requirements from the configuration to exit code and report, over signed files that are made here and over the samples."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.builders import ca, cms
from tests.builders import nupkg as nuget
from tests.builders.containers import ZipEntry, nupkg, raw_zip, zip_of
from tests.builders.signed_pe import signed_pe
from tests.builders.tree import authenticode_sha256, code, policy_for, tree
from tests.cli.conftest import Command, Outcome

SAMPLES = Path(__file__).parents[2] / "fixtures" / "binaries"
WHEN = "2026-11-24T12:00:00Z"


@cache
def company() -> ca.Identity:
    return ca.root("Contoso Root").issue_authority("Contoso Issuing CA")


@cache
def build_certificate() -> ca.Identity:
    return company().issue("Contoso Build", key_label="build")


@cache
def developer() -> ca.Identity:
    return company().issue("Jane Developer", key_label="developer", serial=0x1002)


@cache
def impostor() -> ca.Identity:
    """Anybody can make a certificate with any name."""
    return ca.root("Contoso Root", key_label="other").issue("Contoso Build", key_label="impostor")


ENCRYPTED_ZIP = raw_zip(ZipEntry(name="secret.bin", data=b"x", flags=1))
PLAIN = code("plain")
BUILT = signed_pe(code("built"), build_certificate())
BY_HAND = signed_pe(code("by hand"), developer())
FORGED = signed_pe(code("forged"), impostor())


@dataclass(frozen=True)
class Project:
    root: Path
    gate: Command

    def check(self, config: str, *arguments: str) -> Outcome:
        (self.root / "csv-gate.yaml").write_text("version: 1\n" + config, encoding="utf-8")
        return self.gate(
            "check",
            self.root / "out",
            "--config",
            self.root / "csv-gate.yaml",
            "--evaluated-at",
            WHEN,
            "--no-cache",
            *arguments,
        )

    def result(self, config: str, *arguments: str) -> dict[str, list[str]]:
        """Artifact below `out` -> checks of its findings, of those that have any."""
        document = json.loads(self.check(config, "-o", "json", *arguments).out)
        rows = {row["path"].partition("/out/")[2]: [f["check"] for f in row["findings"]] for row in document["artifacts"]}
        return {path: checks for path, checks in rows.items() if checks}


@pytest.fixture
def project(tmp_path: Path, gate: Command) -> Callable[[dict[str, bytes]], Project]:
    def make(files: dict[str, bytes]) -> Project:
        tree(tmp_path / "out", files)
        root = x509.load_der_x509_certificate(company().chain[0])
        (tmp_path / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
        return Project(tmp_path, gate)

    return make


Make = Callable[[dict[str, bytes]], Project]

BUILD = """
roots: root.pem
signers:
  build: {cn: Contoso Build, issuer: Contoso Issuing CA}
requirements:
  change-process: {signed_by: build}
"""


def test_the_build_certificate_attests_that_a_file_took_the_official_way(project: Make) -> None:
    made = project(
        {"built.dll": BUILT, "by-hand.dll": BY_HAND, "forged.dll": FORGED, "plain.dll": PLAIN, "notes.txt": b"words"}
    )
    outcome = made.check(BUILD)
    assert outcome.code == 1
    assert made.result(BUILD) == {"by-hand.dll": ["CSV401"], "forged.dll": ["CSV401"], "plain.dll": ["CSV401"]}
    assert "not by build: its common name is Jane Developer" in " ".join(outcome.out.replace("|", " ").split())


def test_a_build_that_took_the_official_way_is_green_without_any_target(project: Make) -> None:
    outcome = project({"built.dll": BUILT}).check(BUILD)
    assert (outcome.code, outcome.out) == (0, "")
    assert "all that is required is met" in outcome.err


def test_without_the_root_a_name_is_worth_nothing(project: Make) -> None:
    outcome = project({"built.dll": BUILT}).check(BUILD.replace("roots: root.pem", ""))
    assert outcome.code == 1
    assert "its chain ends in a root that nobody vouches for" in " ".join(outcome.out.replace("|", " ").split())


UNSIGNED_IN_PACKAGE = "requirements: {packages: {formats: nupkg, no_unsigned_content: true}}"


def test_a_package_with_an_unsigned_library_in_it_is_red(project: Make) -> None:
    made = project({"good.nupkg": nupkg({"lib/a.dll": BUILT}), "bad.nupkg": nupkg({"lib/a.dll": BUILT, "lib/b.dll": PLAIN})})
    assert made.check(UNSIGNED_IN_PACKAGE).code == 1
    found = made.result(UNSIGNED_IN_PACKAGE)
    assert found == {"bad.nupkg!/lib/b.dll": ["CSV410"]}


def test_also_where_the_package_is_in_an_archive(project: Make) -> None:
    made = project({"all.zip": zip_of({"in/bad.nupkg": nupkg({"b.dll": PLAIN})})})
    assert made.result(UNSIGNED_IN_PACKAGE) == {"all.zip!/in/bad.nupkg!/b.dll": ["CSV410"]}


def test_what_is_in_no_such_package_is_not_asked(project: Make) -> None:
    made = project({"ok.nupkg": nupkg({"a.dll": BUILT}), "other.zip": zip_of({"b.dll": PLAIN}), "c.dll": PLAIN})
    assert made.check(UNSIGNED_IN_PACKAGE).code == 0


def test_a_container_that_is_not_opened_leaves_it_open(project: Make) -> None:
    made = project({"a.nupkg": nupkg({"a.dll": BUILT})})
    assert made.check(UNSIGNED_IN_PACKAGE, "--no-containers").code == 4
    damaged = project({"a.nupkg": ENCRYPTED_ZIP})
    assert damaged.check("requirements: {all: {signed: true}}").code == 4


@pytest.mark.parametrize("inner", [b"7z\xbc\xaf\x27\x1c" + bytes(64), zip_of({"x.dll": BUILT})[:-30], ENCRYPTED_ZIP])
@pytest.mark.parametrize("paths", ["", "paths: 'out/*.nupkg', "])
def test_so_does_one_inside(project: Make, inner: bytes, paths: str) -> None:
    made = project({"a.nupkg": nupkg({"a.dll": BUILT, "in.bin": inner})})
    assert made.check(UNSIGNED_IN_PACKAGE.replace("formats", paths + "formats")).code == 4


def signed_package(role: str = "author", library: bytes = BUILT, put_in: bytes | None = None) -> bytes:
    """`put_in`: another library, after the package was signed."""
    files = (*nuget.FILES[:1], ZipEntry(name="lib/a.dll", data=library))
    signature = nuget.signature(nuget.nupkg(files=files), build_certificate(), role=role)
    shipped = files if put_in is None else (*files[:1], ZipEntry(name="lib/a.dll", data=put_in))
    return nuget.nupkg(signature, files=shipped)


PACKAGE = """
roots: root.pem
signers: {build: {cn: Contoso Build}}
requirements: {packages: {formats: nupkg, scheme: nuget, role: author, signed_by: build, no_unsigned_content: true}}
"""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (signed_package(), {}),
        (signed_package(role="repository"), {"a.nupkg": ["CSV403"]}),
        (signed_package(library=PLAIN), {"a.nupkg!/lib/a.dll": ["CSV410"]}),
        (signed_package(put_in=BY_HAND), {"a.nupkg": ["CSV401", "CSV411"]}),
    ],
    ids=["as required", "by the repository", "unsigned library", "changed"],
)
def test_a_signed_package_is_by_its_author_and_holds_signed_files(
    project: Make, data: bytes, expected: dict[str, list[str]]
) -> None:
    found = project({"a.nupkg": data}).result(PACKAGE)
    required = {path: [check for check in checks if check.startswith("CSV4")] for path, checks in found.items()}
    assert {path: checks for path, checks in required.items() if checks} == expected


def test_a_set_that_means_nothing_is_red_where_a_folder_was_looked_at(project: Make) -> None:
    made = project({"built.dll": BUILT})
    config = BUILD + "  typo: {paths: 'otu/*.dll', signed: true}\n"
    outcome = made.check(config)
    assert outcome.code == 1
    assert "CSV420" in outcome.out
    single = made.gate("check", made.root / "out/built.dll", "--config", made.root / "csv-gate.yaml")
    assert single.code == 0
    assert "warning[CSV420]" in single.out


def test_a_pattern_that_means_nothing_is_a_warning(project: Make) -> None:
    outcome = project({"built.dll": BUILT}).check("requirements: {a: {paths: ['out/*.dll', 'out/gone.exe'], signed: true}}")
    assert outcome.code == 0
    assert "CSV421" in outcome.out
    assert "gone.exe" in outcome.out


def test_a_run_in_which_no_requirement_means_anything_is_no_success(project: Make) -> None:
    outcome = project({"notes.txt": b"words"}).check(BUILD)
    assert outcome.code == 3
    assert "requirement change-process" in outcome.err


def test_the_level_of_a_set_decides_what_fails(project: Make) -> None:
    made = project({"plain.dll": PLAIN})
    assert made.check("requirements: {a: {level: warning, signed: true}}").code == 0
    assert made.check("requirements: {a: {level: warning, signed: true}}", "--fail-on", "warning").code == 1


def test_files_that_must_stay_unsigned(project: Make) -> None:
    made = project({"pinned.dll": BUILT, "free.bin": b"\1\2\3"})
    found = made.result("requirements: {do-not-sign: {paths: [out/pinned.dll, out/free.bin], must_be_unsigned: true}}")
    assert found == {"pinned.dll": ["CSV413"]}


def test_a_catalog_that_forgot_a_file(project: Make) -> None:
    listed, forgotten = code("listed"), code("forgotten")
    made = project({"a.dll": listed, "b.dll": forgotten})
    member = cms.member(bytes.fromhex(authenticode_sha256(listed)))
    (made.root / "app.cat").write_bytes(cms.catalog(build_certificate(), [member]))
    found = made.result("requirements: {driver: {paths: 'out/', catalogs_complete: app.cat}}")
    assert found == {"b.dll": ["CSV412"]}


def test_a_catalog_of_a_requirement_signs_nothing_on_a_target(project: Make) -> None:
    listed = code("listed")
    made = project({"a.dll": listed})
    (made.root / "app.cat").write_bytes(
        cms.catalog(build_certificate(), [cms.member(bytes.fromhex(authenticode_sha256(listed)))])
    )
    assert made.result("requirements: {a: {signed: true}, b: {catalogs_complete: app.cat}}")["a.dll"][0] == "CSV400"


def with_target(paths: str = "") -> str:
    routes = f", paths: {paths}" if paths else ""
    return f"targets: {{prod: {{policies: policy.xml{routes}}}, lab: {{policies: policy.xml, paths: lab/}}}}\n"


def test_requirements_stand_beside_the_verdicts_of_targets(project: Make) -> None:
    made = project({"plain.dll": PLAIN})
    (made.root / "policy.xml").write_bytes(policy_for(PLAIN))
    outcome = made.check(with_target() + "requirements: {a: {signed: true}}", "-o", "json")
    (row,) = json.loads(outcome.out)["artifacts"]
    assert outcome.code == 1
    assert [verdict["decision"] for verdict in row["verdicts"]] == ["allowed"]
    assert [(one["check"], one["target"]) for one in row["findings"]] == [("CSV400", None)]
    assert json.loads(outcome.out)["summary"]["unmet"] == 1


def test_a_set_for_targets_asks_of_what_goes_there(project: Make) -> None:
    made = project({"plain.dll": PLAIN})
    (made.root / "policy.xml").write_bytes(policy_for(PLAIN))
    document = json.loads(made.check(with_target() + "requirements: {a: {targets: prod, signed: true}}", "-o", "json").out)
    assert [(one["check"], one["target"]) for one in document["artifacts"][0]["findings"]] == [("CSV400", "prod")]
    outcome = made.check(with_target() + "requirements: {a: {targets: lab, signed: true}}")
    assert "CSV400" not in outcome.out
    assert "CSV420" in outcome.out
    assert "CSV420" not in made.check(with_target() + "requirements: {a: {targets: lab, signed: true}}", "--target", "prod").out


def test_what_only_a_requirement_is_about_gets_no_verdict(project: Make) -> None:
    made = project({"plain.dll": PLAIN, "driver.cat": cms.catalog(build_certificate(), [cms.member(bytes(32))])})
    (made.root / "policy.xml").write_bytes(policy_for(PLAIN))
    config = with_target() + "requirements: {catalogs: {formats: catalog, signed: true, min_digest: sha256}}"
    document = json.loads(made.check(config, "-o", "json").out)
    verdicts = {row["path"].rpartition("/")[2]: len(row["verdicts"]) for row in document["artifacts"]}
    assert verdicts == {"driver.cat": 0, "plain.dll": 1}
    assert document["findings"] == []
    assert document["summary"]["exit_code"] == 0


def test_a_requirement_does_not_make_up_for_a_target_that_takes_nothing(project: Make) -> None:
    made = project({"built.dll": BUILT})
    (made.root / "policy.xml").write_bytes(policy_for(PLAIN))
    assert made.check(with_target("elsewhere/")).code == 3
    assert made.check(with_target("elsewhere/") + "requirements: {a: {signed: true}}").code == 3


WAIVER = """version: 1
waivers:
  - id: W-1
    reason: signed with the next release
    owner: "@contoso/agent"
    expires: 2027-01-31
    match: {paths: [out/plain.dll], checks: [%s]}
"""


def test_a_waiver_excuses_what_it_names(project: Make) -> None:
    made = project({"plain.dll": PLAIN})
    config = "waivers: waivers.yaml\nrequirements: {a: {signed: true}}"
    (made.root / "waivers.yaml").write_text(WAIVER % "CSV400", encoding="utf-8")
    assert made.check(config).code == 0
    junit = ElementTree.fromstring(made.check(config, "-o", "junit").out)
    assert [case.find("skipped") is not None for case in junit.iter("testcase")] == [True]
    (made.root / "waivers.yaml").write_text(WAIVER % "CSV401", encoding="utf-8")
    assert made.check(config).code == 1


def test_what_is_open_is_excused_only_by_its_own_name(project: Make) -> None:
    made = project({"plain.dll": nupkg({"a.dll": BUILT})})
    config = "waivers: waivers.yaml\nrequirements: {a: {formats: nupkg, no_unsigned_content: true}}"
    (made.root / "waivers.yaml").write_text(WAIVER % "CSV410", encoding="utf-8")
    assert made.check(config, "--no-containers").code == 4
    (made.root / "waivers.yaml").write_text(WAIVER % "CSV806", encoding="utf-8")
    assert made.check(config, "--no-containers").code == 0
    assert made.check(config, "--no-containers", "--fail-on", "never").code == 0


def test_junit_has_a_case_for_what_is_required_whatever_the_target(project: Make) -> None:
    made = project({"plain.dll": PLAIN, "built.dll": BUILT})
    junit = ElementTree.fromstring(made.check("requirements: {a: {signed: true}}", "-o", "junit").out)
    (suite,) = junit.iter("testsuite")
    assert suite.get("name") == "csv-gate requirements"
    (case,) = suite.iter("testcase")
    failure = case.find("failure")
    assert (case.get("name") or "").endswith("plain.dll")
    assert failure is not None
    assert failure.get("type") == "CSV400"


@pytest.mark.parametrize("format", ["text", "html", "sarif", "markdown", "github", "azure", "gitlab", "jsonl"])
def test_every_report_tells_what_is_not_met(project: Make, format: str) -> None:
    outcome = project({"plain.dll": PLAIN}).check("requirements: {a: {signed: true}}", "-o", format)
    assert "CSV400" in outcome.out
    assert "it has no signature" in outcome.out


def test_sarif_stands_on_the_line_of_the_set(project: Make) -> None:
    document = json.loads(project({"plain.dll": PLAIN}).check("requirements:\n  a: {signed: true}", "-o", "sarif").out)
    location = document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"].endswith("csv-gate.yaml")
    assert location["region"]["startLine"] == 3


def test_what_changed_since_a_result_counts_requirements(project: Make) -> None:
    made = project({"plain.dll": PLAIN})
    before = made.root / "before.json"
    made.check("requirements: {a: {level: note, signed: true}}", "-o", f"json={before}")
    outcome = made.check("requirements: {a: {signed: true}}", "--diff", str(before))
    assert "newly red: 1" in outcome.err


def test_explain_shows_what_an_artifact_does_not_meet(project: Make) -> None:
    made = project({"plain.dll": PLAIN})
    made.check("requirements: {a: {signed: true}}")
    outcome = made.gate("explain", made.root / "out/plain.dll", "--config", made.root / "csv-gate.yaml")
    assert "error[CSV400]: requirement a: it has no signature" in outcome.out


def test_the_samples_meet_what_they_were_made_for(project: Make) -> None:
    made = project({})
    shutil.copytree(SAMPLES, made.root / "out", dirs_exist_ok=True)
    found = made.result(
        """
requirements:
  shipped: {paths: out/app/, signed: true, timestamp: rfc3161, min_digest: sha256, min_key_bits: {rsa: 2048}}
  lasting: {paths: out/app/, formats: pe, not_expiring_within_days: 90}
  plugins: {paths: out/plugins/, all_signatures_valid: true}
  tests: {no_test_certificates: true}
"""
    )
    required = {path: [one for one in checks if one.startswith(("CSV4", "CSV806"))] for path, checks in found.items()}
    assert {path: checks for path, checks in required.items() if checks} == {
        "app/legacy.dll": ["CSV408", "CSV404"],
        "plugins/scanner.dll": ["CSV409"],
    }


PAGE = (Path(__file__).parents[2] / "docs" / "requirements.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_gives_what_the_page_shows(
    tmp_path: Path, gate: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = PAGE.partition("```yaml\n")[2].partition("```")[0]
    command, _, shown = PAGE.partition("```console\n$ csv-gate ")[2].partition("```")[0].partition("\n")
    shutil.copytree(SAMPLES / "app", tmp_path / "app")
    (tmp_path / "csv-gate.yaml").write_text("version: 1\n" + config, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    outcome = gate(*command.split(), "--evaluated-at", WHEN, "--no-cache")
    assert outcome.code == 1
    assert outcome.out.rstrip("\n") == shown.rstrip("\n")


def test_shards_and_processes_come_to_the_same(project: Make) -> None:
    made = project({f"{name}.dll": data for name, data in (("a", PLAIN), ("b", BUILT), ("c", BY_HAND), ("d", FORGED))})
    config = BUILD + "  idle: {paths: nowhere/, signed: true}\n"
    whole = json.loads(made.check(config, "-o", "json").out)
    assert json.loads(made.check(config, "-o", "json", "-j", "2").out) == whole
    parts = []
    for number in (1, 2):
        parts.append(made.root / f"{number}.json")
        made.check(config, "--shard", f"{number}/2", "-o", f"json={parts[-1]}")
    merged = json.loads(made.gate("merge", *parts).out)
    assert merged["summary"] == whole["summary"]
    assert merged["findings"] == whole["findings"]
    assert [one["check"] for one in whole["findings"]] == ["CSV420"]


def test_a_test_suite_asserts_what_is_required_too(project: Make) -> None:
    from csv_gate.testing import assert_allowed, judge

    made = project({"plain.dll": PLAIN, "driver.cat": cms.catalog(build_certificate(), [cms.member(bytes(32))])})
    (made.root / "policy.xml").write_bytes(policy_for(PLAIN))
    config = made.root / "csv-gate.yaml"
    config.write_text("version: 1\n" + with_target() + "requirements: {a: {formats: catalog, signed: true}}", encoding="utf-8")
    assert_allowed(made.root / "out", config=config)
    config.write_text("version: 1\n" + with_target() + "requirements: {a: {signed: true}}", encoding="utf-8")
    with pytest.raises(AssertionError, match="CSV400"):
        assert_allowed(made.root / "out", config=config)
    failing = [
        case.artifact.artifact.path for case in judge([made.root / "out"], config=config).cases if case.fails and case.artifact
    ]
    assert [Path(path).name for path in failing] == ["plain.dll"]


def test_programs_find_requirements_in_the_result(project: Make) -> None:
    import csv_gate

    made = project({"plain.dll": PLAIN})
    config = made.root / "csv-gate.yaml"
    config.write_text("version: 1\nrequirements: {a: {signed: true}}", encoding="utf-8")
    with csv_gate.check(made.root / "out", config=config) as result:
        (artifact,) = result.artifacts
        assert [finding.check for finding in artifact.findings] == ["CSV400"]
        assert result.summary.unmet == 1
