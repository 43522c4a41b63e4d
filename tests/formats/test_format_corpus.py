"""Conformance of scripts, installer packages, cabinets and ELF files with what other tools say of real and tampered ones.

`CSV_GATE_CORPUS` names the folder; without it these tests are skipped.
"""

import csv
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model.facts import Facts
from csv_gate.model.problems import ProblemCode as Code
from tests.builders.signing import codes

ROOT = Path(os.environ.get("CSV_GATE_CORPUS", "")) / "signed"
pytestmark = pytest.mark.skipif("CSV_GATE_CORPUS" not in os.environ, reason="CSV_GATE_CORPUS names no corpus")
SIGNED = ("ps1", "ps-xml", "js", "vbs", "mof", "cab", "ole-msi")


def _rows(*formats: str) -> list[Mapping[str, str]]:
    if not (ROOT / "MANIFEST.tsv").is_file():
        return []
    with (ROOT / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row for row in rows if row["format"] in formats]


def _facts(path: str) -> Facts:
    return extract((ROOT / path).read_bytes(), ExtractionSettings(), name=path)


DIFFERS: Mapping[str, tuple[tuple[bool, ...], str]] = {
    "derived-script/signed-hello.js": (
        (False,),
        "signed by osslsigncode, which leaves out the position and takes PowerShell's interface",
    ),
    "derived-script/crlf-restored-SignedJavaScript.js": (
        (True,),
        "signed by Microsoft; osslsigncode does not hash the position",
    ),
    "derived-script/wsh-signed.js": ((True,), "osslsigncode does not hash the position"),
    "derived-script/wsh-signed.vbs": ((True,), "no other tool reads VBScript"),
    "derived-script/wsh-signed-cp1252.vbs": ((True,), "no other tool reads VBScript"),
    "derived-script/wsh-tampered.vbs": ((False,), "no other tool reads VBScript"),
    "derived-script/begin-without-end.ps1": ((False,), "a damaged block is a signature that does not hold"),
    "derived-script/broken-base64.ps1": ((False,), "a damaged block is a signature that does not hold"),
}
"""Path -> whether each signature's digest holds, and why the manifest does not say so."""


@pytest.mark.parametrize("row", _rows(*SIGNED), ids=lambda row: row["path"])
def test_signatures_are_as_the_manifest_says_or_as_is_argued(row: Mapping[str, str]) -> None:
    facts = _facts(row["path"])
    if row["path"] in DIFFERS:
        expected = DIFFERS[row["path"]][0]
    else:
        expected = tuple(word == "ok" for word in row["digest_valid"].split(",")) if row["signed"] == "yes" else ()
    assert tuple(one.digest_matches is True for one in facts.signatures) == expected
    assert tuple(one.valid for one in facts.signatures) == expected


LINE_ENDS = (
    ("derived-script/lf-converted.ps1", True),
    ("repo-arcade/SignedJavaScript.js", True),
    ("repo-arcade/SignedScript.ps1", False),
    ("repo-wdac-toolkit/CreateScannedPolicy.ps1", True),
    ("repo-wdac-toolkit/CreateSignerPolicy.ps1", True),
    ("repo-wdac-toolkit/remediate.ps1", True),
)


@pytest.mark.parametrize(("path", "is_restorable"), LINE_ENDS)
def test_line_ends_that_version_control_changed_are_named_as_the_cause(path: str, is_restorable: bool) -> None:
    (signature,) = _facts(path).signatures
    details = [problem.detail for problem in signature.problems if problem.code is Code.SCRIPT_LINE_ENDS]
    assert [("valid if CRLF" in detail) for detail in details] == [is_restorable]


TAMPERED = {
    "derived-msi/msi-flip-sector-byte.msi": Code.COMPOUND_UNREACHABLE_SECTORS,
    "derived-ko/append-after-magic.ko": Code.MODULE_SIGNATURE_NOT_LAST,
    "derived-script/begin-without-end.ps1": Code.SCRIPT_BLOCK_MALFORMED,
    "derived-script/broken-base64.ps1": Code.SCRIPT_BLOCK_MALFORMED,
    "repo-jsign/sample2-disk1.cab": Code.CABINET_PART,
}


@pytest.mark.parametrize("path", TAMPERED)
def test_a_tampered_file_gives_the_finding_that_names_it(path: str) -> None:
    assert TAMPERED[path] in codes(_facts(path).problems)


@pytest.mark.parametrize("row", _rows("elf", "elf-ko"), ids=lambda row: row["path"])
def test_module_signatures_are_seen_where_the_manifest_says(row: Mapping[str, str]) -> None:
    facts = _facts(row["path"])
    assert facts.elf is not None
    assert facts.elf.build_id is not None
    module = facts.elf.module_signature
    assert (module is not None and module.is_well_formed) is (row["signed"] == "yes")
