"""Signed JARs: of our own, by `jarsigner` where it is, and of the corpus."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model.facts import Facts, SignatureFacts, SignatureScheme
from csv_gate.model.problems import ProblemCode as Code
from tests.builders import ca, cms
from tests.builders import jar as jars
from tests.builders.containers import ZipEntry, raw_zip
from tests.builders.signing import authority, codes, publisher, time_authority

MANIFEST, SF, BLOCK = "META-INF/MANIFEST.MF", "META-INF/SIGNER.SF", "META-INF/SIGNER.RSA"


def facts_of(data: bytes) -> Facts:
    facts = extract(data, ExtractionSettings(), name="a.jar")
    assert (facts.format, facts.gaps) == ("jar", ())
    return facts


def one(data: bytes) -> SignatureFacts:
    (signature,) = facts_of(data).signatures
    return signature


def replacing(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def replaced(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new)

    return replaced


def test_a_signed_archive_is_valid_and_wholly_covered() -> None:
    facts = facts_of(jars.jar(jars.members(publisher())))
    (signature,) = facts.signatures
    assert (signature.scheme, signature.place) == (SignatureScheme.JAR, BLOCK)
    assert (signature.valid, signature.digest_matches, codes(signature)) == (True, True, set())
    assert signature.signer is not None
    assert signature.signer.thumbprint_sha256 == hashlib.sha256(publisher().certificate).hexdigest()
    assert facts.package is not None
    assert (facts.package.uncovered, facts.package.uncovered_count, facts.package.digests_match) == ((), 0, True)


@pytest.mark.parametrize("has_attributes", [True, False])
@pytest.mark.parametrize("kind", ["rsa2048", "p256"])
def test_blocks_with_and_without_signed_attributes_are_read(kind: str, has_attributes: bool) -> None:
    signer = authority().issue(key_kind=kind)
    assert one(jars.jar(jars.members(signer, has_attributes=has_attributes))).valid


def test_names_longer_than_a_line_are_unfolded_wherever_they_were_cut() -> None:
    files = {"d/" + "ä" * 80 + "x" * n: b"x" for n in range(3)}
    assert one(jars.jar(jars.members(publisher(), files))).valid


def test_the_names_of_signing_files_count_in_any_case() -> None:
    found = {name.replace("META-INF/SIGNER", "meta-inf/signer"): data for name, data in jars.members(publisher()).items()}
    assert one(jars.jar(found)).valid


def test_an_unsigned_archive_says_nothing() -> None:
    facts = facts_of(jars.jar({MANIFEST: b"Manifest-Version: 1.0\r\n\r\n", "a": b"1"}))
    assert (facts.signatures, facts.problems) == ((), ())
    assert facts.package is not None
    assert facts.package.digests_match is None


def test_an_entry_that_was_added_later_is_uncovered_and_told() -> None:
    facts = facts_of(jars.jar({**jars.members(publisher()), "p/Evil.class": b"x"}))
    (signature,) = facts.signatures
    assert (signature.valid, codes(signature)) == (True, {Code.PACKAGE_MEMBER_UNSIGNED})
    assert facts.package is not None
    assert facts.package.uncovered == ("p/Evil.class",)


def test_an_entry_that_the_manifest_lists_but_the_signature_file_does_not_is_uncovered() -> None:
    facts = facts_of(jars.jar(jars.members(publisher(), only=["a.txt"])))
    assert facts.package is not None
    assert facts.package.uncovered_count == 2


@pytest.mark.parametrize(
    ("member", "change", "code"),
    [
        ("a.txt", replacing(b"hello", b"HELLO"), Code.DIGEST_MISMATCH),
        (MANIFEST, replacing(b"p.Main", b"p.Evil"), Code.DIGEST_MISMATCH),
        (MANIFEST, replacing(b"Name: a.txt", b"Name: b.txt"), Code.DIGEST_MISMATCH),
        (SF, replacing(b"Signature-Version", b"Zignature-Version"), Code.CMS_MESSAGE_DIGEST_WRONG),
        (BLOCK, lambda data: data[:-1] + bytes([data[-1] ^ 1]), Code.CMS_SIGNATURE_WRONG),
        (BLOCK, lambda data: data[:40], Code.CMS_MALFORMED),
    ],
)
def test_a_change_after_signing_is_found(member: str, change: Callable[[bytes], bytes], code: Code) -> None:
    signature = one(jars.jar(jars.members(publisher()), change={member: change}))
    assert not signature.valid
    assert code in codes(signature)


def test_a_signed_entry_that_is_gone_is_found() -> None:
    found = jars.members(publisher())
    del found["a.txt"]
    signature = one(jars.jar(found))
    assert (signature.valid, signature.digest_matches, codes(signature)) == (False, False, {Code.PACKAGE_MEMBER_MISSING})


@pytest.mark.parametrize("gone", [SF, BLOCK, MANIFEST])
def test_a_signing_file_that_is_gone_leaves_no_valid_signature(gone: str) -> None:
    found = jars.members(publisher())
    del found[gone]
    facts = extract(jars.jar({"META-INF/MANIFEST.MF.old": b"", **found}), ExtractionSettings())
    assert [signature.valid for signature in facts.signatures] == [False]


@pytest.mark.parametrize("lost", ["a.txt", MANIFEST, SF, BLOCK])
def test_a_name_that_stands_twice_makes_the_signature_doubtful(lost: str) -> None:
    entries = [ZipEntry(name=name, data=data) for name, data in jars.members(publisher()).items()]
    signatures = facts_of(raw_zip(*entries, ZipEntry(name=lost, data=b"other"))).signatures
    assert signatures
    assert not any(signature.valid for signature in signatures)


def test_two_manifests_that_differ_in_case_make_the_signature_doubtful() -> None:
    assert not one(jars.jar({**jars.members(publisher()), "META-INF/Manifest.mf": b"Manifest-Version: 1.0\r\n\r\n"})).valid


def test_a_manifest_that_grew_is_compared_section_by_section() -> None:
    grown = {MANIFEST: lambda data: data + b"Name: b.txt\r\nSHA-256-Digest: " + jars.b64(b"b").encode() + b"\r\n\r\n"}
    facts = facts_of(jars.jar({**jars.members(publisher()), "b.txt": b"b"}, change=grown))
    (signature,) = facts.signatures
    assert signature.valid
    assert facts.package is not None
    assert facts.package.uncovered == ("b.txt",)


def test_without_a_digest_of_the_main_attributes_a_manifest_that_grew_is_not_vouched_for() -> None:
    grown = {MANIFEST: lambda data: data + b"Name: b.txt\r\nX: y\r\n\r\n"}
    assert not one(jars.jar(jars.members(publisher(), main=False), change=grown)).valid


def test_a_signature_file_of_sections_alone_is_enough() -> None:
    assert one(jars.jar(jars.members(publisher(), whole=False))).valid


@pytest.mark.parametrize("keywords", [{"version": "2.0"}, {"only": []}])
def test_a_signature_file_that_java_passes_over_does_not_hold(keywords: dict[str, str]) -> None:
    assert Code.PACKAGE_SIGNATURE_RULE in codes(one(jars.jar(jars.members(publisher(), **keywords))))  # type: ignore[arg-type]


def test_several_signers_are_judged_each_by_itself() -> None:
    other = authority().issue("Other", key_kind="p256", serial=0x77)
    found = {**jars.members(publisher()), **jars.members(other, name="META-INF/OTHER", only=["a.txt"])}
    first, second = facts_of(jars.jar(found)).signatures
    assert (first.valid, second.valid) == (True, True)
    assert (codes(first), codes(second)) == (set(), {Code.PACKAGE_MEMBER_UNSIGNED})


def test_what_only_a_broken_signature_names_is_uncovered_beside_a_valid_one() -> None:
    good = jars.members(publisher(), only=["a.txt"])
    bad = jars.members(publisher(), name="META-INF/BAD")
    bad["META-INF/BAD.RSA"] = bad["META-INF/BAD.RSA"][:-1] + b"\0"
    facts = facts_of(jars.jar({**good, **{name: data for name, data in bad.items() if "BAD" in name}}))
    assert facts.package is not None
    assert facts.package.uncovered_count == 2


@pytest.mark.parametrize("where", [{"digests": ("sha1",)}, {"sf_digest": "sha1"}, {"cms_digest": "sha1"}])
def test_sha1_is_weak_and_no_longer_taken(where: dict[str, str]) -> None:
    signature = one(jars.jar(jars.members(publisher(), **where)))  # type: ignore[arg-type]
    assert not signature.valid
    assert {Code.WEAK_DIGEST, Code.PACKAGE_SIGNATURE_RULE} <= codes(signature)


def test_sha1_beside_a_strong_digest_does_no_harm() -> None:
    assert one(jars.jar(jars.members(publisher(), digests=("sha1", "sha256")))).valid


@pytest.mark.parametrize(("year", "is_taken"), [(2018, True), (2024, False)])
def test_sha1_is_taken_where_a_time_stamp_shows_that_it_is_old(year: int, is_taken: bool) -> None:
    begun = datetime(2015, 1, 1, tzinfo=UTC)
    signer = authority().issue(not_before=begun)
    clock = ca.root("Old TSA Root", key_label="tsa-root", not_before=begun).issue(
        "Old TSA", eku=(ca.TIME_STAMPING,), key_label="tsa", not_before=begun
    )
    stamp = cms.Stamp(clock, time=datetime(year, 6, 1, tzinfo=UTC))
    signature = one(jars.jar(jars.members(signer, digests=("sha1",), stamp=stamp)))
    assert signature.timestamp is not None
    assert signature.timestamp.valid
    assert signature.valid is is_taken


@pytest.mark.parametrize("where", [{"digests": ("md5",)}, {"cms_digest": "md5"}])
def test_md5_does_not_count(where: dict[str, str]) -> None:
    assert not one(jars.jar(jars.members(publisher(), **where))).valid  # type: ignore[arg-type]


def test_a_time_stamp_is_read() -> None:
    signature = one(jars.jar(jars.members(publisher(), stamp=cms.Stamp(time_authority()))))
    assert signature.timestamp is not None
    assert (signature.timestamp.valid, signature.timestamp.time, codes(signature)) == (True, cms.STAMPED, set())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\r\n",
        b" continued\r\n\r\n",
        b"no colon\r\n\r\n",
        b"Manifest-Version: 1.0\r\n\r\nX: y\r\n\r\n",
        b"Manifest-Version: 1.0\r\n\r\nName: a.txt\r\n\r\nName: a.txt\r\n\r\n",
        b"Manifest-Version: 1.0\r\n\r\nName: a.txt\r\nSHA-256-Digest: x\r\nSHA-256-Digest: y\r\n\r\n",
    ],
)
def test_a_manifest_that_readers_understand_differently_leaves_no_valid_signature(text: bytes) -> None:
    signature = one(jars.jar(jars.members(publisher()), change={MANIFEST: lambda _: text}))
    assert not signature.valid
    assert Code.PACKAGE_SIGNATURE_RULE in codes(signature)


def test_lines_may_end_in_any_way() -> None:
    found = jars.members(publisher())
    sections = {name: raw.replace(b"\r\n", b"\n") for name, raw in jars.manifest_of(jars.FILES).items()}
    sf = jars.signature_file(sections).replace(b"\r\n", b"\r")
    found |= {MANIFEST: b"".join(sections.values()), SF: sf, BLOCK: jars.block(publisher(), sf)}
    assert one(jars.jar(found)).valid


JARSIGNER = shutil.which("jarsigner")


@pytest.fixture(scope="session")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("java") / "keys"
    for alias, kind in (("rsa", "RSA"), ("ec", "EC")):
        made = ["keytool", "-genkeypair", "-keystore", str(path), "-storepass", "changeit", "-alias", alias, "-keyalg", kind]
        subprocess.run([*made, "-dname", f"CN={alias}"], check=True, capture_output=True, timeout=60)
    return path


def _unsigned(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nMain-Class: p.Main\r\n\r\n")
        for name, data in {**jars.FILES, "d/" + "\u00e4" * 70: b"x"}.items():
            archive.writestr(name, data)


@pytest.mark.skipif(JARSIGNER is None, reason="jarsigner is not installed")
@pytest.mark.parametrize(
    ("alias", "options", "is_valid"),
    [
        ("rsa", (), True),
        ("ec", (), True),
        ("rsa", ("-sectionsonly",), True),
        ("rsa", ("-internalsf",), True),
        ("rsa", ("-digestalg", "SHA-512"), True),
        ("rsa", ("-digestalg", "SHA-1"), False),
        ("rsa", ("-digestalg", "MD5", "-sigalg", "MD5withRSA"), False),
    ],
)
def test_what_jarsigner_signs_is_judged_as_jarsigner_judges_it(
    keystore: Path, tmp_path: Path, alias: str, options: tuple[str, ...], is_valid: bool
) -> None:
    plain, signed = tmp_path / "plain.jar", tmp_path / "signed.jar"
    _unsigned(plain)
    keys = ("-keystore", str(keystore), "-storepass", "changeit")
    signing = ["jarsigner", *keys, *options, "-signedjar", str(signed), str(plain), alias]
    subprocess.run(signing, check=True, capture_output=True, timeout=60)
    said = subprocess.run(["jarsigner", "-verify", str(signed)], capture_output=True, text=True, timeout=60).stdout
    assert ("jar verified." in said) is is_valid
    facts = facts_of(signed.read_bytes())
    assert [signature.valid for signature in facts.signatures] == [is_valid]
    if is_valid:
        assert facts.package is not None
        assert facts.package.uncovered_count == 0


@pytest.mark.skipif(JARSIGNER is None, reason="jarsigner is not installed")
@pytest.mark.parametrize(
    ("change", "is_verified"),
    [
        ({}, True),
        ({"a.txt": lambda data: data + b"!"}, False),
        ({MANIFEST: replacing(b"p.Main", b"p.Evil")}, False),
        ({MANIFEST: lambda data: data + b"Name: b\r\nX: y\r\n\r\n"}, True),
        ({SF: replacing(b"1.0", b"1.1")}, False),
    ],
)
def test_jarsigner_says_the_same_of_archives_signed_here(
    tmp_path: Path, change: dict[str, Callable[[bytes], bytes]], is_verified: bool
) -> None:
    data = jars.jar(jars.members(publisher()), change=change)
    (tmp_path / "a.jar").write_bytes(data)
    said = subprocess.run(["jarsigner", "-verify", str(tmp_path / "a.jar")], capture_output=True, text=True, timeout=60).stdout
    assert ("jar verified." in said) is is_verified
    assert one(data).valid is is_verified


@pytest.mark.skipif("CSV_GATE_CORPUS" not in os.environ, reason="CSV_GATE_CORPUS names no corpus")
@pytest.mark.parametrize(
    ("path", "valid"),
    [("derived-jar/signed-leafec.jar", [True]), ("derived-jar/changed-entry.jar", [False]), ("repo-relic/hello.jar", [])],
)
def test_archives_of_the_corpus_are_judged_as_jarsigner_did(path: str, valid: list[bool]) -> None:
    data = (Path(os.environ["CSV_GATE_CORPUS"]) / "signed" / path).read_bytes()
    assert [signature.valid for signature in facts_of(data).signatures] == valid
