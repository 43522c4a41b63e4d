"""Whole signed images, from bytes to facts."""

import hashlib
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.formats.cross_check import cross_check
from csv_gate.formats.pe_digest import PeContent
from csv_gate.formats.pe_layout import PeLayout, read_layout
from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.model.facts import FactName, Facts, SignatureSource
from csv_gate.model.problems import ProblemCode
from csv_gate.signatures import CatalogIndex, read_catalog
from tests.builders import ca, cms
from tests.builders.pe import certificate, checksum_offset, pe, security_entry_offset
from tests.builders.signed_pe import attach, covered, padded, signature, signed_pe
from tests.builders.signing import codes

SETTINGS = ExtractionSettings()
ROOT = ca.root()
SIGNER = ROOT.issue("Acme Ltd")
OTHER = ROOT.issue("Other Ltd", serial=0x1002, key_label="other")
IMAGE = pe(overlay=b"payload")
SIGNED = signed_pe(IMAGE, SIGNER)


def _extract(data: bytes) -> Facts:
    return extract(data, SETTINGS)


def _signers(facts: Facts) -> list[tuple[str, str, str | None, bool]]:
    return [(one.place, one.source.value, one.signer.subject_cn if one.signer else None, one.valid) for one in facts.signatures]


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("image", [pe(), pe(plus=False), pe(overlay=b"odd")])
def test_a_signed_image_has_a_valid_signature(image: bytes, digest: str) -> None:
    facts = _extract(signed_pe(image, SIGNER, digest=digest))
    assert _signers(facts) == [("0", "embedded", "Acme Ltd", True)]
    assert facts.gaps == ()


@settings(max_examples=150, deadline=None)
@given(position=st.integers(0, len(SIGNED) - 1), bit=st.integers(0, 7))
def test_no_change_to_a_covered_byte_leaves_a_valid_signature(position: int, bit: int) -> None:
    changed = bytearray(SIGNED)
    changed[position] ^= 1 << bit
    checksum, entry, table = checksum_offset(SIGNED), security_entry_offset(SIGNED), len(padded(IMAGE))
    facts = _extract(bytes(changed))
    is_valid = any(one.valid for one in facts.signatures)
    if checksum <= position < checksum + 4:
        assert is_valid
    elif entry <= position < entry + 8 or position >= table:
        return  # The table or the way to it: whatever comes of it, the covered bytes are those that were signed.
    else:
        assert not is_valid


def test_a_signature_that_is_not_at_the_end_is_never_valid() -> None:
    """Not even one that was made over the bytes behind the table as well."""
    image, tail = padded(pe()), b"behind the table"
    placed = attach(image, certificate(signature(image, SIGNER))) + tail
    digest = hashlib.sha256(covered(placed)).digest()
    facts = _extract(attach(image, certificate(cms.authenticode(SIGNER, digest))) + tail)
    (one,) = facts.signatures
    assert one.digest_matches
    assert not one.valid
    assert ProblemCode.TABLE_NOT_LAST in {problem.code for problem in one.problems}


def test_nested_signatures_have_places_below_their_primary() -> None:
    inner = signature(IMAGE, OTHER)
    facts = _extract(signed_pe(IMAGE, SIGNER, nested=[inner]))
    assert _signers(facts) == [("0", "embedded", "Acme Ltd", True), ("0.0", "nested", "Other Ltd", True)]


def test_several_table_entries_are_judged_one_by_one() -> None:
    foreign = signature(pe(code=b"other"), OTHER)
    table = certificate(signature(IMAGE, SIGNER)) + certificate(foreign)
    facts = _extract(attach(IMAGE, table))
    assert _signers(facts) == [("0", "embedded", "Acme Ltd", True), ("1", "embedded", "Other Ltd", False)]
    assert ProblemCode.DIGEST_MISMATCH in {problem.code for problem in facts.signatures[1].problems}


def test_a_grafted_signature_is_not_valid() -> None:
    facts = _extract(attach(pe(code=b"evil"), certificate(signature(IMAGE, SIGNER))))
    assert [one.digest_matches for one in facts.signatures] == [False]
    assert not facts.signatures[0].valid


@pytest.mark.parametrize(("broken", "is_valid"), [(False, True), (True, False)])
def test_page_hashes_have_to_match_too(broken: bool, is_valid: bool) -> None:
    image = padded(pe(code=b"c" * 9000))
    layout = read_layout(memoryview(image), DEFAULT_LIMITS)
    assert isinstance(layout, PeLayout)
    table = PeContent(memoryview(image), layout).page_hash_table("sha256")
    assert table is not None
    if broken:
        table = table[:40] + bytes([table[40] ^ 1]) + table[41:]
    facts = _extract(signed_pe(image, SIGNER, value=cms.page_hashes(table)))
    (one,) = facts.signatures
    assert one.page_hashes is not None
    assert one.page_hashes.matches is is_valid
    assert one.valid is is_valid
    assert one.digest_matches


def test_nested_signatures_beyond_the_limit_are_a_gap() -> None:
    data = signed_pe(IMAGE, SIGNER, nested=[signature(IMAGE, OTHER)] * 3)
    facts = extract(data, ExtractionSettings(limits=Limits(max_nested_signatures=2)))
    assert len(facts.signatures) == 2
    assert facts.gap(FactName.SIGNATURES) is not None


def test_a_signature_is_compared_with_nothing_where_authenticode_cannot_lay_the_file_out() -> None:
    table_past_end = bytearray(SIGNED)
    struct.pack_into("<I", table_past_end, security_entry_offset(SIGNED) + 4, 1 << 20)
    facts = _extract(bytes(table_past_end))
    assert not any(one.valid for one in facts.signatures)
    assert facts.gap(FactName.SIGNATURES) is not None


def _catalog(*members: bytes) -> CatalogIndex:
    return CatalogIndex([read_catalog(cms.catalog(SIGNER, members), path="drivers.cat")])


@pytest.mark.parametrize("version", [1, 2])
def test_a_catalog_signs_by_authenticode_digest(version: int) -> None:
    image = pe()
    member = cms.member(hashlib.sha256(covered(image)).digest())
    facts = extract(image, ExtractionSettings(catalogs=_catalog(member)))
    (one,) = facts.signatures
    assert (one.source, one.place, one.valid) == (SignatureSource.CATALOG, "drivers.cat", True)
    assert ProblemCode.CATALOG_FLAT_DIGEST not in codes(one)


@pytest.mark.parametrize("flat", [True, False])
def test_a_catalog_that_lists_an_image_by_its_flat_digest_is_told_with_a_problem(flat: bool) -> None:
    image = pe()
    catalogs = _catalog(cms.member(hashlib.sha256(image).digest(), flat=flat))
    (one,) = extract(image, ExtractionSettings(catalogs=catalogs)).signatures
    assert one.valid
    assert ProblemCode.CATALOG_FLAT_DIGEST in codes(one)


def test_a_catalog_signs_files_of_other_formats_by_their_flat_digest() -> None:
    catalogs = _catalog(cms.member(hashlib.sha256(b"text\n").digest(), flat=True))
    assert [one.valid for one in extract(b"text\n", ExtractionSettings(catalogs=catalogs)).signatures] == [True]


def test_a_catalog_that_lists_the_padded_digest_alone_decides_nothing() -> None:
    image = pe(overlay=b"odd")
    catalogs = _catalog(cms.member(hashlib.sha256(covered(padded(image))).digest()))
    facts = extract(image, ExtractionSettings(catalogs=catalogs))
    assert facts.signatures == ()
    assert [gap.what for gap in facts.gaps] == [FactName.CATALOGS]


def test_a_catalog_itself_is_an_artifact() -> None:
    facts = _extract(cms.catalog(SIGNER, [cms.member(bytes(32)), cms.member(b"\1" * 32)]))
    assert facts.format == "catalog"
    assert facts.catalog_members == 2
    assert _signers(facts) == [("0", "embedded", "Acme Ltd", True)]


def test_a_broken_catalog_is_a_problem_and_a_gap() -> None:
    facts = _extract(cms.catalog(SIGNER, [cms.member(bytes(32))])[:200])
    assert facts.format == "catalog"
    assert [problem.code for problem in facts.problems] == [ProblemCode.CATALOG_MALFORMED]
    assert [gap.what for gap in facts.gaps] == [FactName.SIGNATURES]


@pytest.mark.parametrize("data", [SIGNED, signed_pe(IMAGE, SIGNER, nested=[signature(IMAGE, OTHER)])])
def test_other_libraries_see_the_same_signers(data: bytes) -> None:
    assert cross_check(data, _extract(data)) == ()


def test_another_signer_is_reported_with_both_answers() -> None:
    facts = _extract(SIGNED)
    signer = facts.signatures[0].signer
    assert signer is not None
    changed = replace(facts, signatures=(replace(facts.signatures[0], signer=replace(signer, serial="beef")),))
    problems = cross_check(SIGNED, changed)
    assert [problem.code for problem in problems] == [ProblemCode.CROSS_CHECK_DIFFERS] * 2
    assert all("beef" in problem.detail and signer.serial in problem.detail for problem in problems)


@pytest.mark.skipif(shutil.which("osslsigncode") is None, reason="osslsigncode is not installed")
@pytest.mark.parametrize(("flip", "accepts"), [(None, True), (700, False)])
def test_osslsigncode_gives_the_same_answer(tmp_path: Path, flip: int | None, accepts: bool) -> None:
    data = bytearray(SIGNED)
    if flip is not None:
        data[flip] ^= 1
    (tmp_path / "roots.pem").write_bytes(x509.load_der_x509_certificate(ROOT.certificate).public_bytes(Encoding.PEM))
    (tmp_path / "app.exe").write_bytes(data)
    command = ["osslsigncode", "verify", "-CAfile", str(tmp_path / "roots.pem"), "-in", str(tmp_path / "app.exe")]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    facts = _extract(bytes(data))
    assert facts.digests is not None
    assert str(facts.digests.authenticode_sha256).upper() in said.stdout.upper()
    assert (said.returncode == 0) is accepts
    assert facts.signatures[0].valid is accepts
