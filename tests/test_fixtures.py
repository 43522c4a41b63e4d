"""The samples are what their list says: independent tools read them so, and the gate judges them so."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lief
import pefile
import pytest

from fixtures.build import build
from fixtures.digests import first_page, hash_set

ROOT = Path(__file__).parent.parent
BINARIES = ROOT / "fixtures/binaries"
POLICIES = ROOT / "fixtures/policies"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    path: str
    format: str
    signatures: str
    digest: str
    verdict: str
    check: str
    verdict_by_base_alone: str
    verdict_by_audit: str


def expected() -> list[Expected]:
    with (ROOT / "fixtures/expected.tsv").open(encoding="utf-8", newline="") as file:
        return [Expected(**row) for row in csv.DictReader(file, delimiter="\t")]


IMAGES = [entry for entry in expected() if entry.format == "pe"]
JUDGED = [entry for entry in expected() if entry.verdict != "-"]
by_path = pytest.mark.parametrize("entry", IMAGES, ids=lambda entry: entry.path)


def test_the_list_names_every_sample_and_no_other() -> None:
    samples = [path.relative_to(BINARIES).as_posix() for path in BINARIES.rglob("*") if path.is_file()]

    assert sorted(samples) == [entry.path for entry in expected()]


def test_the_page_of_the_samples_tells_of_each() -> None:
    text = (ROOT / "fixtures/README.md").read_text(encoding="utf-8")

    assert [entry.path for entry in expected() if f"`{entry.path}`" not in text] == []


def test_the_samples_stay_small() -> None:
    assert sum(path.stat().st_size for path in BINARIES.rglob("*") if path.is_file()) < 500_000


def test_no_private_key_is_kept() -> None:
    kept = [path for path in (ROOT / "fixtures").rglob("*") if path.is_file() and b"PRIVATE KEY--" in path.read_bytes()]

    assert kept == []


@by_path
def test_lief_computes_the_digests_that_the_policies_are_written_with(entry: Expected) -> None:
    content = (BINARIES / entry.path).read_bytes()
    image = lief.PE.parse(content)

    assert image is not None
    assert image.authentihash(lief.PE.ALGORITHMS.SHA_1).hex().upper() == hash_set(content).sha1
    assert image.authentihash(lief.PE.ALGORITHMS.SHA_256).hex().upper() == hash_set(content).sha256


@by_path
def test_pefile_reads_an_ordinary_image_with_a_version(entry: Expected) -> None:
    with pefile.PE(str(BINARIES / entry.path)) as image:
        assert [warning for warning in image.get_warnings() if "Byte 0x00 makes up" not in warning] == []
        assert image.VS_FIXEDFILEINFO[0].FileVersionMS > 0
        assert image.is_driver() == entry.path.endswith(".sys")


def osslsigncode(*arguments: str) -> str:
    """What it prints of a file; its exit status also tells of trust, which is not asked here."""
    if shutil.which("osslsigncode") is None:
        pytest.skip("needs osslsigncode")
    return subprocess.run(["osslsigncode", *arguments], capture_output=True, text=True, check=False).stdout


@by_path
def test_osslsigncode_finds_the_signatures_and_digests_of_the_list(entry: Expected) -> None:
    report = osslsigncode("verify", "-in", str(BINARIES / entry.path))
    signed = re.findall(r"Current message digest\s*: (\w+)", report)
    computed = re.findall(r"Calculated message digest\s*: (\w+)", report)

    assert len(signed) == int(entry.signatures)
    assert (signed == computed) == (entry.digest in {"ok", "-"})
    content = (BINARIES / entry.path).read_bytes()
    assert set(computed) <= {hash_set(content).sha1, hash_set(content).sha256}


def test_osslsigncode_finds_the_listed_image_in_the_catalog() -> None:
    report = osslsigncode("verify", "-catalog", str(BINARIES / "app/gate-demo.cat"), "-in", str(BINARIES / "app/charts.dll"))

    assert hash_set((BINARIES / "app/charts.dll").read_bytes()).sha256 in report
    assert "File is signed in catalog" in report


def test_the_first_page_hash_is_the_one_that_osslsigncode_signed() -> None:
    image = (BINARIES / "app/gate-demo.exe").read_bytes()
    entry_of_page_0 = bytes(4) + hashlib.sha256(first_page(image)).digest()

    assert entry_of_page_0 in image


def judge(binaries: Path, *policies: Path, result: Path) -> dict[str, Any]:
    """Run the gate as a user does and read its result."""
    command = [sys.executable, "-m", "csv_gate", "check", str(binaries), "-o", f"json={result}"]
    command += [word for policy in policies for word in ("--policy", str(policy))]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stderr
    read: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return read


def verdicts(result: dict[str, Any], binaries: Path) -> dict[str, dict[str, Any]]:
    """The one verdict of each artifact, by path below `binaries`."""
    judged = {artifact["path"]: artifact["verdicts"] for artifact in result["artifacts"]}
    root = binaries.as_posix()
    return {path.partition(f"{root}/")[2] or path: found[0] for path, found in judged.items()}


def decisions(result: dict[str, Any], binaries: Path) -> dict[str, str]:
    return {path: verdict["decision"] for path, verdict in verdicts(result, binaries).items()}


def test_the_gate_judges_every_sample_as_the_list_says(tmp_path: Path) -> None:
    result = judge(BINARIES, POLICIES / "base.xml", POLICIES / "supplemental.xml", result=tmp_path / "result.json")

    assert decisions(result, BINARIES) == {entry.path: entry.verdict for entry in JUDGED}


def test_what_is_not_judged_is_counted(tmp_path: Path) -> None:
    result = judge(BINARIES, POLICIES / "base.xml", result=tmp_path / "result.json")

    assert result["summary"]["skipped"] == len(expected()) - len(JUDGED)


def test_each_red_verdict_names_the_check_of_the_list_first(tmp_path: Path) -> None:
    result = judge(BINARIES, POLICIES / "base.xml", POLICIES / "supplemental.xml", result=tmp_path / "result.json")
    found = verdicts(result, BINARIES)

    red = {entry.path: entry.check for entry in expected() if entry.check != "-"}
    assert {path: found[path]["checks"][0] for path in red} == red


def test_without_the_supplemental_its_plug_in_is_denied(tmp_path: Path) -> None:
    result = judge(BINARIES, POLICIES / "base.xml", result=tmp_path / "result.json")

    assert decisions(result, BINARIES) == {entry.path: entry.verdict_by_base_alone for entry in JUDGED}


def test_in_audit_mode_the_same_is_denied_and_nothing_blocked(tmp_path: Path) -> None:
    result_file = tmp_path / "result.json"
    command = [sys.executable, "-m", "csv_gate", "check", str(BINARIES), "--policy", str(POLICIES / "audit.xml")]
    run = subprocess.run([*command, "-o", f"json={result_file}"], cwd=ROOT, capture_output=True, text=True, check=False)
    result = json.loads(result_file.read_text(encoding="utf-8"))

    assert run.returncode == 4, run.stderr
    assert result["summary"]["denied"] > 0
    assert decisions(result, BINARIES) == {entry.path: entry.verdict_by_audit for entry in JUDGED}
    assert all(found["audited"] for found in verdicts(result, BINARIES).values() if found["decision"] == "denied")


@pytest.mark.skipif(shutil.which("x86_64-w64-mingw32-gcc") is None, reason="needs mingw-w64")
def test_rebuilt_samples_are_judged_like_the_kept_ones(tmp_path: Path) -> None:
    if "-TSA-certs" not in osslsigncode("sign", "--help"):
        pytest.skip("needs an osslsigncode that can make time stamps itself (2.6)")
    binaries, policies = tmp_path / "binaries", tmp_path / "policies"
    build(binaries, policies)

    result = judge(binaries, policies / "base.xml", policies / "supplemental.xml", result=tmp_path / "result.json")

    assert decisions(result, binaries) == {entry.path: entry.verdict for entry in JUDGED}
