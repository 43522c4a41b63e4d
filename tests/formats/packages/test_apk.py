"""Signed Android applications: of our own, and as `apksigner` judges them where it is."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model.facts import Facts, SignatureFacts, SignatureScheme
from csv_gate.model.problems import ProblemCode as Code
from tests.builders import apk as apks
from tests.builders import ca
from tests.builders import jar as jars
from tests.builders.containers import ZipEntry, raw_zip
from tests.builders.signing import authority, codes, publisher


def facts_of(data: bytes) -> Facts:
    facts = extract(data, ExtractionSettings(), name="a.apk")
    assert (facts.format, facts.gaps) == ("apk", ())
    return facts


def one(data: bytes) -> SignatureFacts:
    (signature,) = facts_of(data).signatures
    return signature


@pytest.mark.parametrize("scheme", ["v2", "v3"])
@pytest.mark.parametrize(
    ("kind", "digest", "pss"),
    [("rsa2048", "sha256", False), ("rsa2048", "sha512", False), ("rsa2048", "sha256", True), ("p256", "sha256", False)],
)
def test_a_signed_application_is_valid_and_wholly_covered(scheme: str, kind: str, digest: str, pss: bool) -> None:
    facts = facts_of(apks.apk(authority().issue(key_kind=kind), schemes=(scheme,), digest=digest, pss=pss))
    (signature,) = facts.signatures
    assert (signature.scheme, signature.place) == (SignatureScheme.APK, f"{scheme}/0")
    assert (signature.valid, signature.digest_matches, codes(signature)) == (True, True, set())
    assert facts.package is not None
    assert facts.package.uncovered_count == 0


def test_every_scheme_is_told_by_itself() -> None:
    found = facts_of(apks.apk(publisher(), schemes=("v2", "v3"), says_v3=True)).signatures
    assert [(one.place, one.valid) for one in found] == [("v2/0", True), ("v3/0", True)]


@pytest.mark.parametrize("where", ["entry", "late entry", "directory", "end record"])
def test_a_flipped_byte_anywhere_makes_the_digest_mismatch(where: str) -> None:
    data = bytearray(apks.apk(publisher()))
    end = len(data) - 22
    directory = int.from_bytes(data[end + 16 : end + 20], "little")
    at = {"entry": 100, "late entry": 2**20 + 5000, "directory": directory + 12, "end record": end + 20}[where]
    data[at] ^= 1
    if where == "end record":
        data += b"\0"  # the comment that it now speaks of
    signature = one(bytes(data))
    assert (signature.valid, signature.digest_matches, Code.DIGEST_MISMATCH in codes(signature)) == (False, False, True)


def test_an_added_entry_makes_the_digest_mismatch() -> None:
    entries, _, _ = apks.split(raw_zip(*(ZipEntry(name=name, data=data, method=0) for name, data in apks.FILES.items())))
    more = raw_zip(*(ZipEntry(name=name, data=data, method=0) for name, data in {**apks.FILES, "evil.dex": b"x"}.items()))
    signed = apks.apk(publisher())
    value = signed[len(entries) + 20 : signed.index(b"APK Sig Block 42") - 8]
    assert not one(apks.with_block(more, [(apks.V2, value)])).valid


def test_the_key_must_be_that_of_the_certificate() -> None:
    other = ca.spki(ca.key("rsa2048", "stranger"))
    assert Code.CMS_SIGNATURE_WRONG in codes(one(apks.apk(publisher(), key=other)))
    thief = ca.Identity(publisher().certificate, ca.key("rsa2048", "stranger"), b"", b"", 1)
    signature = one(apks.apk(thief))
    assert (signature.valid, Code.PACKAGE_SIGNATURE_RULE in codes(signature)) == (False, True)


def test_the_platforms_of_v3_must_be_those_that_were_signed() -> None:
    assert codes(one(apks.apk(publisher(), schemes=("v3",), outer_range=(1, 99)))) == {Code.PACKAGE_SIGNATURE_RULE}


def test_digests_and_signatures_must_be_by_the_same_algorithms() -> None:
    assert not one(apks.apk(publisher(), outer_method=0x0104)).valid


def test_an_algorithm_that_is_not_verified_is_told() -> None:
    signature = one(apks.apk(publisher(), method=0x0421))
    assert (signature.valid, signature.digest_matches) == (False, None)
    assert Code.CMS_ALGORITHM_UNKNOWN in codes(signature)


def test_v3_that_was_stripped_is_found_by_what_v2_says() -> None:
    assert codes(one(apks.apk(publisher(), schemes=("v2",), says_v3=True))) == {Code.PACKAGE_SIGNATURE_RULE}


@pytest.mark.parametrize(("said", "is_valid"), [((), True), ((("X-Android-APK-Signed", "2, 3"),), False)])
def test_schemes_that_were_stripped_are_found_by_what_v1_says(said: tuple[tuple[str, str], ...], is_valid: bool) -> None:
    signature = one(jars.jar(jars.members(publisher(), apks.FILES, extra=said)))
    assert (signature.scheme, signature.valid) == (SignatureScheme.JAR, is_valid)


def test_android_takes_sha1_in_v1() -> None:
    signature = one(jars.jar(jars.members(publisher(), apks.FILES, digests=("sha1",))))
    assert (signature.valid, Code.WEAK_DIGEST in codes(signature)) == (True, True)


def test_v1_leaves_uncovered_what_v2_covers() -> None:
    members = jars.members(publisher(), apks.FILES)
    facts = facts_of(jars.jar({**members, "evil.dex": b"x"}))
    assert facts.package is not None
    assert facts.package.uncovered == ("evil.dex",)
    facts = facts_of(apks.apk(publisher(), {**members, "assets/x": b"x"}))
    assert facts.package is not None
    assert facts.package.uncovered == ()
    assert [one.valid for one in facts.signatures] == [True, True]


@pytest.mark.parametrize("change", [lambda d: d[:-1], lambda d: b"PK" + d, lambda d: d + b"x"])
def test_bytes_around_the_archive_make_the_signature_doubtful(change: object) -> None:
    assert callable(change)
    facts = extract(change(apks.apk(publisher())), ExtractionSettings(), name="a.apk")
    assert not any(one.valid for one in facts.signatures)


def test_a_block_that_does_not_add_up_is_a_signature_that_does_not_hold() -> None:
    data = apks.apk(publisher())
    at = data.index(b"APK Sig Block 42") - 8
    broken = one(data[:at] + (10**6).to_bytes(8, "little") + data[at + 8 :])
    assert (broken.valid, codes(broken)) == (False, {Code.PACKAGE_SIGNATURE_RULE})


@pytest.mark.skipif(shutil.which("apksigner") is None, reason="apksigner is not installed")
@pytest.mark.parametrize(
    ("data", "is_verified"),
    [
        (apks.apk(publisher(), schemes=("v2", "v3"), says_v3=True), True),
        (apks.apk(authority().issue(key_kind="p256")), True),
        (apks.apk(publisher(), says_v3=True), False),
        (apks.apk(publisher(), outer_method=0x0104), False),
        (apks.apk(publisher()).replace(b"classes.dex", b"classes.dax", 1), False),
    ],
)
def test_apksigner_says_the_same(tmp_path: Path, data: bytes, is_verified: bool) -> None:
    (tmp_path / "a.apk").write_bytes(data)
    ran = subprocess.run(
        ["apksigner", "verify", "--min-sdk-version", "28", str(tmp_path / "a.apk")], capture_output=True, text=True, timeout=60
    )
    assert (ran.returncode == 0) is is_verified, ran.stdout + ran.stderr
    assert all(one.valid for one in facts_of(data).signatures) is is_verified


@pytest.mark.skipif(shutil.which("apksigner") is None, reason="apksigner is not installed")
def test_what_apksigner_signs_is_valid_by_every_scheme(tmp_path: Path) -> None:
    keys, plain, signed = tmp_path / "keys", tmp_path / "plain.apk", tmp_path / "signed.apk"
    made = ["keytool", "-genkeypair", "-keystore", str(keys), "-storepass", "changeit", "-alias", "a", "-keyalg", "RSA"]
    subprocess.run([*made, "-dname", "CN=App"], check=True, capture_output=True, timeout=60)
    plain.write_bytes(raw_zip(*(ZipEntry(name=name, data=data) for name, data in apks.FILES.items())))
    signing = ["apksigner", "sign", "--ks", str(keys), "--ks-pass", "pass:changeit", "--min-sdk-version", "21"]
    subprocess.run([*signing, "--out", str(signed), str(plain)], check=True, capture_output=True, timeout=60)
    facts = facts_of(signed.read_bytes())
    assert [(one.place.partition("/")[0], one.valid) for one in facts.signatures] == [
        ("v2", True),
        ("v3", True),
        ("META-INF", True),
    ]
