"""Conformance over real and tampered files: what other tools say of each, and why the answer here differs where it does.

`CSV_GATE_CORPUS` names the folder; without it these tests are skipped.
"""

import csv
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.formats.cross_check import cross_check
from csv_gate.model.facts import FactName, Facts, SignatureSource
from csv_gate.model.problems import ProblemCode as Code
from csv_gate.signatures import CatalogIndex, read_catalog

ROOT = Path(os.environ.get("CSV_GATE_CORPUS", "")) / "signed"
pytestmark = pytest.mark.skipif("CSV_GATE_CORPUS" not in os.environ, reason="CSV_GATE_CORPUS names no corpus")
OWN = (SignatureSource.EMBEDDED, SignatureSource.NESTED)


def _rows(format: str) -> list[Mapping[str, str]]:
    if not (ROOT / "MANIFEST.tsv").is_file():
        return []
    with (ROOT / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row for row in rows if row["format"] == format]


ROWS = _rows("pe")
CATALOGS = _rows("cat")


@cache
def _settings() -> ExtractionSettings:
    return ExtractionSettings(verify_all_checksums=True)


@cache
def _facts(path: str) -> Facts:
    return extract((ROOT / path).read_bytes(), _settings())


@dataclass(frozen=True, slots=True, kw_only=True)
class Differs:
    """An answer that is not the manifest's, and why."""

    digests: tuple[bool | None, ...]
    why: str


DIFFERS = {
    "derived-tamper/two-entries-second-foreign.exe": Differs(
        digests=(True, False), why="every entry of the table is judged; osslsigncode reads the first only"
    ),
    "derived-tamper/peg-append-16-after-table.exe": Differs(
        digests=(False,), why="bytes behind the table are hashed, so the digest is wrong; osslsigncode calls the file unsigned"
    ),
    "derived-tamper/peg-dirsize-past-eof.exe": Differs(
        digests=(None,), why="there is a signature, but Authenticode defines no digest where the table passes the end"
    ),
    "derived-crafted/zero-signerinfos.exe": Differs(
        digests=(True,), why="there is a PKCS#7 and it names the right digest; that nobody signed it makes it invalid"
    ),
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["path"])
def test_signatures_and_their_digests_agree_with_the_manifest(row: Mapping[str, str]) -> None:
    signatures = [signature for signature in _facts(row["path"]).signatures if signature.source in OWN]
    matches = tuple(signature.digest_matches for signature in signatures)
    if (differs := DIFFERS.get(row["path"])) is not None:
        assert matches == differs.digests, differs.why
        return
    if row["signed"] != "yes":
        assert matches == ()
        return
    assert len(signatures) == int(row["signature_count"])
    if row["digest_valid"] != "?":
        assert matches == tuple(valid == "ok" for valid in row["digest_valid"].split(","))
    if row["signer_cn"]:
        names = [None if signature.signer is None else signature.signer.subject_cn for signature in signatures]
        assert [_as_in_manifest(name) for name in names] == [name.strip() for name in row["signer_cn"].split(" | ")]


def _as_in_manifest(name: str | None) -> str:
    """The manifest has names escaped as in RFC 4514 and cut at the first comma, escaped or not."""
    return (name or "").replace("\\", "\\\\").replace(",", "\\,").split(",")[0]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["path"])
def test_lief_computes_the_same_digest(row: Mapping[str, str]) -> None:
    lief = pytest.importorskip("lief")
    lief.logging.disable()
    digests = _facts(row["path"]).digests
    assert digests is not None
    assert digests.sha256 == row["sha256"]
    if digests.authenticode_sha256 is None:
        pytest.skip("Authenticode cannot lay it out")
    binary = lief.PE.parse((ROOT / row["path"]).read_bytes())
    assert bytes(binary.authentihash(lief.PE.ALGORITHMS.SHA_256)).hex() == digests.authenticode_sha256


@pytest.mark.parametrize("row", [row for row in ROWS if row["digest_valid"].startswith("ok")], ids=lambda row: row["path"])
def test_a_signed_page_hash_table_is_the_one_that_is_computed_here(row: Mapping[str, str]) -> None:
    """Its first entry is the first-page hash of the facts, too: the whole table matches or nothing does."""
    for signature in _facts(row["path"]).signatures:
        if signature.page_hashes is not None:
            assert signature.page_hashes.matches


ATTACKS: dict[str, set[Code]] = {
    "derived-tamper/peg-flip-body-byte.exe": {Code.DIGEST_MISMATCH},
    "derived-tamper/peg-append-16-after-table.exe": {Code.DIGEST_MISMATCH, Code.TABLE_NOT_LAST},
    "derived-tamper/peg-dir-zeroed-table-left.exe": {Code.TABLE_LEFT_OVER},
    "derived-tamper/peg-dirsize-past-eof.exe": {Code.TABLE_PAST_END, Code.PE_NOT_AUTHENTICODE_LAYOUT},
    "derived-tamper/peg-dwlength-huge.exe": {Code.ENTRY_LENGTH_INVALID},
    "derived-tamper/peg-dwlength-zero.exe": {Code.ENTRY_LENGTH_INVALID},
    "derived-tamper/peg-nrva-4.exe": {Code.PE_DIRECTORY_COUNT_LOW, Code.PE_NOT_AUTHENTICODE_LAYOUT},
    "derived-tamper/peg-pad-inside-payload-4096.exe": {Code.ENTRY_TRAILING_DATA},
    "derived-tamper/peg-revision-1.0.exe": {Code.ENTRY_REVISION_UNKNOWN},
    "derived-tamper/peg-type-x509.exe": {Code.ENTRY_TYPE_UNKNOWN},
    "derived-tamper/peg-stripped-dir-left.exe": {Code.TABLE_MISSING},
    "derived-tamper/peg-truncated-mid-table.exe": {Code.TABLE_PAST_END, Code.ENTRY_LENGTH_INVALID},
    "derived-tamper/two-entries-second-foreign.exe": {Code.ENTRIES_SEVERAL, Code.DIGEST_MISMATCH},
    "derived-crafted/trailing-nonzero-in-dwlength.exe": {Code.ENTRY_TRAILING_DATA},
    "derived-crafted/wrong-digest.exe": {Code.DIGEST_MISMATCH},
    "derived-crafted/zero-signerinfos.exe": {Code.CMS_SIGNER_COUNT},
    "derived-crafted/no-certificates.exe": {Code.CMS_NO_CERTIFICATES},
    "derived-crafted/ctype-pkcs7-data.exe": {Code.CMS_NOT_AUTHENTICODE},
    "derived-pe/unsigned-overlay-zip.exe": {Code.PE_OVERLAY, Code.PE_OVERLAY_POLYGLOT},
    "repo-authenticodelint/wintrustpadded.dl_": {Code.ENTRY_PADDING_NOT_ZERO},
    "repo-penet/cff-chrome_elf.dll": {Code.TABLE_IN_SECTIONS, Code.PE_NOT_AUTHENTICODE_LAYOUT},
}


def _codes(facts: Facts) -> set[Code]:
    found = {problem.code for problem in facts.problems}
    for signature in facts.signatures:
        found |= {problem.code for problem in signature.problems}
        if signature.timestamp is not None:
            found |= {problem.code for problem in signature.timestamp.problems}
    return found


@pytest.mark.parametrize("path", sorted(ATTACKS))
def test_an_attack_gives_its_finding(path: str) -> None:
    if not (ROOT / path).is_file():
        pytest.skip("not in this corpus")
    assert ATTACKS[path] <= _codes(_facts(path))


VALID_ALL_THE_SAME = {
    "derived-tamper/two-entries-second-foreign.exe",
    "derived-crafted/trailing-nonzero-in-dwlength.exe",
    "derived-pe/unsigned-overlay-zip.exe",
    "repo-authenticodelint/wintrustpadded.dl_",
    "derived-tamper/peg-pad-inside-payload-4096.exe",
}


@pytest.mark.parametrize("path", sorted(set(ATTACKS) - VALID_ALL_THE_SAME))
def test_no_attack_leaves_a_signature_that_counts(path: str) -> None:
    """Either no signature is valid, or a gap says that Windows may see other ones."""
    if not (ROOT / path).is_file():
        pytest.skip("not in this corpus")
    facts = _facts(path)
    assert not any(signature.valid for signature in facts.signatures) or facts.gap(FactName.SIGNATURES)


@pytest.mark.parametrize("row", CATALOGS, ids=lambda row: row["path"])
def test_a_catalog_is_an_artifact_with_a_signature_and_members(row: Mapping[str, str]) -> None:
    facts = _facts(row["path"])
    assert facts.format == "catalog"
    assert facts.catalog_members
    (signature,) = facts.signatures
    assert (signature.signer is not None) is (row["signed"] == "yes")
    if signature.signer is not None:
        assert _as_in_manifest(signature.signer.subject_cn) == row["signer_cn"]
        assert signature.valid is ("flip" not in row["path"])


def test_a_catalog_signs_the_image_that_it_lists() -> None:
    catalog = "repo-signify/115fe8649854ad531fb7ecd1318fbee6b33c9cbd78f02ed582092a96d5eb5899.cat"
    if not (ROOT / catalog).is_file():
        pytest.skip("not in this corpus")
    catalogs = CatalogIndex([read_catalog((ROOT / catalog).read_bytes(), path="windows.cat")])
    facts = extract((ROOT / "repo-signify/DXCore.dll").read_bytes(), ExtractionSettings(catalogs=catalogs))
    (signature,) = [one for one in facts.signatures if one.source is SignatureSource.CATALOG]
    assert signature.valid
    assert signature.place == "windows.cat"
    assert facts.digests is not None
    assert signature.signed_digest == facts.digests.authenticode_sha256


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["path"])
def test_the_second_opinion_agrees(row: Mapping[str, str]) -> None:
    assert cross_check((ROOT / row["path"]).read_bytes(), _facts(row["path"])) == ()
