from __future__ import annotations

import csv
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from csv_gate.errors import ArtifactError
from csv_gate.formats import ExtractionSettings, extract
from csv_gate.limits import Limits
from csv_gate.model.facts import FactName, Facts, SignatureFacts, SignatureScheme
from csv_gate.model.problems import ProblemCode as Code
from csv_gate.model.result_json import dump, facts_json
from tests.builders import ca, cms
from tests.builders.appx import (
    APP,
    BUNDLE,
    FILES,
    METHODS,
    app,
    block_map,
    bundle,
    digests,
    directory_at,
    manifest,
    p7x,
    signed,
)
from tests.builders.containers import ZipEntry, raw_zip
from tests.builders.signing import authority, codes, publisher, time_authority
from tests.builders.steps import few_steps, soon

ROUNDS = int(os.environ.get("CSV_GATE_MUTATIONS", "300"))
GOOD = signed(app())
INNER = {"app_x64.msix": GOOD, "language-de.msix": raw_zip(*app({"de.pri": b"text"}))}


def read(data: bytes, limits: Limits | None = None) -> Facts:
    settings = ExtractionSettings() if limits is None else ExtractionSettings(limits=limits)
    return extract(data, settings, name="app.msix")


def only(data: bytes) -> SignatureFacts:
    (found,) = read(data).signatures
    return found


def changed(members: list[ZipEntry], which: str, /, **properties: object) -> list[ZipEntry]:
    return [replace(one, **properties) if one.name == which else one for one in members]  # type: ignore[arg-type]


def resigned(members: list[ZipEntry], signature: bytes, **archive: object) -> bytes:
    """Members with a given signature behind them."""
    return raw_zip(*members, ZipEntry(name="AppxSignature.p7x", data=signature), zip64=True, **archive)  # type: ignore[arg-type]


@pytest.mark.parametrize("zip64", [True, False])
@pytest.mark.parametrize("digest", sorted(METHODS))
def test_a_signed_app_holds(digest: str, zip64: bool) -> None:
    found = only(signed(app(algorithm=digest), digest=digest, zip64=zip64))
    assert (found.valid, found.digest_matches, found.problems) == (True, True, ())
    assert (found.scheme, found.digest_algorithm) == (SignatureScheme.APPX, digest)


def test_an_app_says_who_it_is() -> None:
    package = read(GOOD).package
    assert package is not None
    assert (package.name, package.version, package.architecture) == ("Contoso.App", "1.2.3.4", "x64")
    assert (package.publisher, package.digests_match) == ("CN=Test Publisher", True)
    assert package.family_name is not None
    assert package.family_name.startswith("Contoso.App_")


def test_an_unsigned_app_has_no_signature_and_nothing_wrong() -> None:
    facts = read(raw_zip(*app(), zip64=True))
    assert (facts.signatures, facts.problems, facts.gaps) == ((), (), ())


def test_a_time_stamp_counts() -> None:
    found = only(signed(app(), stamps=[cms.Stamp(time_authority())]))
    assert found.valid
    assert found.timestamp is not None
    assert found.timestamp.valid


def test_a_catalog_of_code_integrity_is_signed_too() -> None:
    assert only(signed(app(catalog=b"catalog"))).valid
    swapped = resigned(app(catalog=b"another"), p7x(digests(app(catalog=b"catalog"))))
    assert "CodeIntegrity.cat (AXCI)" in only(swapped).problems[0].detail


def test_a_comment_of_the_archive_is_signed_too() -> None:
    assert only(signed(app(), comment=b"hello")).valid
    assert not only(resigned(app(), p7x(digests(app(), comment=b"hello")), comment=b"other")).valid


def test_a_bundle_holds_and_has_no_architecture() -> None:
    facts = read(signed(bundle(INNER)))
    assert [one.valid for one in facts.signatures] == [True], facts.signatures[0].problems
    assert facts.package is not None
    assert (facts.package.name, facts.package.architecture) == ("Contoso.App", None)


@pytest.mark.parametrize(
    ("members", "digest_of"),
    [
        (changed(app(), "app.exe", data=b"MZ evil"), "the files (AXPC), the directory (AXCD)"),
        (changed(app(), "[Content_Types].xml", data=b"<Types/>"), "[Content_Types].xml (AXCT)"),
        ([ZipEntry(name="new.dll", data=b"MZ"), *app()], "the files (AXPC), the directory (AXCD)"),
        (app()[1:], "the files (AXPC), the directory (AXCD)"),
        (changed(app(), "app.exe", name="App.exe"), "the files (AXPC), the directory (AXCD)"),
    ],
)
def test_a_package_that_is_not_the_signed_one_is_told(members: list[ZipEntry], digest_of: str) -> None:
    found = only(resigned(members, p7x(digests(app()))))
    assert (found.valid, found.digest_matches) == (False, False)
    (wrong,) = [problem for problem in found.problems if problem.code is Code.DIGEST_MISMATCH]
    assert digest_of in wrong.detail


TEXT = manifest()
CONTENTS: Mapping[str, bytes] = {**FILES, "AppxManifest.xml": TEXT}
OTHER_BLOCK = {**CONTENTS, "app.exe": b"MZ program" * 19_999 + b"MZ-program"}


@pytest.mark.parametrize(
    ("members", "code"),
    [
        (app(map_text=block_map({"AppxManifest.xml": TEXT})), Code.PACKAGE_PART_UNLISTED),
        (app(map_text=block_map({**CONTENTS, "missing.dll": b"MZ"})), Code.PACKAGE_PART_WRONG),
        (app(map_text=block_map({**CONTENTS, "app.exe": b"MZ"})), Code.PACKAGE_PART_WRONG),
        (app(map_text=block_map(OTHER_BLOCK)), Code.PACKAGE_PART_WRONG),
        (app(map_text=block_map(CONTENTS, header_bytes=28)), Code.PACKAGE_PART_WRONG),
        (app(map_text=block_map(CONTENTS, method="http://www.w3.org/2000/09/xmldsig#sha1")), Code.PACKAGE_SIGNATURE_RULE),
        (app(map_text=block_map(CONTENTS).replace(b'Hash="', b'Hash="*')), Code.PACKAGE_SIGNATURE_RULE),
        (app(map_text=block_map(CONTENTS).replace(b"empty.txt", b"APP.EXE")), Code.PACKAGE_SIGNATURE_RULE),
        (app(map_text=b"<BlockMap"), Code.PACKAGE_SIGNATURE_RULE),
        (app(map_text=b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + block_map(CONTENTS)), Code.PACKAGE_SIGNATURE_RULE),
        (app(manifest_text=manifest(publisher="CN=Somebody Else")), Code.PACKAGE_PUBLISHER_WRONG),
        (app(manifest_text=manifest(publisher="CN=test publisher")), Code.PACKAGE_PUBLISHER_WRONG),
        (app(manifest_text=TEXT.replace(b"<Identity", b"<Other")), Code.PACKAGE_SIGNATURE_RULE),
        (app(manifest_text=b"<Package/>"), Code.PACKAGE_SIGNATURE_RULE),
        ([*app(), ZipEntry(name="AppxMetadata/AppxBundleManifest.xml", data=b"<Bundle/>")], Code.PACKAGE_SIGNATURE_RULE),
        ([*app(), ZipEntry(name="app.exe", data=b"MZ")], Code.MEMBER_NAME_REPEATED),
        ([*app(), ZipEntry(name="APP.EXE", data=b"MZ")], Code.PACKAGE_PART_UNLISTED),
        ([*app(), ZipEntry(name="appxsignature.p7x", data=b"PKCX")], Code.PACKAGE_PART_UNLISTED),
        (bundle(INNER, shift=1), Code.PACKAGE_PART_WRONG),
        (bundle(INNER, method=8), Code.PACKAGE_PART_WRONG),
        (bundle(INNER, listed=[("app_x64.msix", 42, len(GOOD))]), Code.PACKAGE_PART_UNLISTED),
        (bundle(INNER, listed=[("app_x64.msix", 42, len(GOOD)), ("none.msix", 1, 1)]), Code.PACKAGE_PART_WRONG),
    ],
)
def test_a_rule_that_was_broken_before_signing_is_told_though_the_digests_match(members: list[ZipEntry], code: Code) -> None:
    found = only(signed(members))
    assert (found.valid, found.digest_matches) == (False, True)
    assert code in codes(found)
    assert code in codes(read(raw_zip(*members, zip64=True)).problems) or code in (
        Code.PACKAGE_PUBLISHER_WRONG,
        Code.MEMBER_NAME_REPEATED,
    )


def test_files_of_a_flat_bundle_lie_outside() -> None:
    assert only(signed(bundle({}, listed=[("app_x64.msix", 0, 1234)]))).valid


SIGNATURE = p7x(digests(app()))
LAST = ZipEntry(name="AppxSignature.p7x", data=SIGNATURE)


@pytest.mark.parametrize(
    "data",
    [
        signed(app(), interface=BUNDLE),
        signed(bundle(INNER), interface=APP),
        signed(app(algorithm="sha512"), digest="sha256"),
        signed(app(), digest="sha1"),
        raw_zip(LAST, *app(), zip64=True),
        raw_zip(*app(), LAST, ZipEntry(name="behind.dll", data=b"MZ"), zip64=True),
        raw_zip(*app(), LAST, LAST, zip64=True),
        raw_zip(*app(), LAST, zip64=True, prefix=b"prefix "),
        raw_zip(*app(), LAST, zip64=True, prefix=b"prefix ", offsets_count_prefix=True),
        raw_zip(*app(), LAST, zip64=True, trailing=b"more"),
        raw_zip(*app(), replace(LAST, gap=b"hidden"), zip64=True),
        raw_zip(*app(), replace(LAST, local_name="AppxSignature.p7y"), zip64=True),
        resigned(app(), SIGNATURE[4:]),
        resigned(app(), b"PKCX"),
        resigned(app(), b""),
        resigned(app(), p7x(b"APPX" + digests(app())[4:-36])),
        resigned(app(), p7x(digests(app())[4:])),
        resigned(app(), p7x(digests(app())[:4] + digests(app())[40:] + digests(app())[4:40])),
        resigned(app()[:-1], p7x(digests(app()[:-1]))),
    ],
)
def test_a_signature_that_breaks_a_rule_does_not_hold_and_says_which(data: bytes) -> None:
    found = read(data).signatures
    assert found
    assert not any(one.valid for one in found)
    assert all(one.scheme is SignatureScheme.APPX and one.problems for one in found)


def test_a_signer_whose_subject_has_several_parts_is_compared_in_order() -> None:
    signer = authority().issue(subject=ca.name("Contoso", organization="Contoso, Ltd"))
    right, wrong = 'CN=Contoso, O="Contoso, Ltd"', 'O="Contoso, Ltd", CN=Contoso'
    assert only(signed(app(manifest_text=manifest(publisher=right)), signer)).valid
    assert codes(only(signed(app(manifest_text=manifest(publisher=wrong)), signer))) == {Code.PACKAGE_PUBLISHER_WRONG}


def test_a_bound_that_is_reached_is_a_gap_and_never_a_verdict() -> None:
    limits = Limits(container_ratio_floor_bytes=1000, max_container_ratio=5)
    facts = read(GOOD, limits)
    assert [gap.what for gap in facts.gaps] == [FactName.SIGNATURES]
    assert "max_container_ratio" in facts.gaps[0].why
    assert not facts.signatures[0].valid


def mutated(data: bytes, chance: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(max(len(found), 1))
        match chance.randrange(5):
            case 0:
                found[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                found[at : at + 4] = chance.choice([0, 1, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF]).to_bytes(4, "little")
            case 2:
                del found[at : at + chance.randrange(64)]
            case 3:
                other = chance.randrange(max(len(found), 1))
                found[at:at] = found[other : other + chance.randrange(1, 200)]
            case _:
                at = max(0, len(found) - chance.randrange(1, 900))
                found[at : at + 1] = bytes([chance.randrange(256)])
    return bytes(found)


def behind_the_files(data: bytes) -> tuple[bytes, bytes]:
    """What a signature covers of a package, cut out without the reader: the files, and the directory with its ends."""
    directory, record = directory_at(data), data.rindex(b"PK\1\2")
    return data[: data.rindex(b"AppxSignature.p7x", 0, directory) - 30], data[directory:record]


@pytest.mark.parametrize(
    "make", [lambda: signed(app(FILES | {"app.exe": b"MZ" * 50})), lambda: signed(bundle({"a.msix": b"PK"}))]
)
def test_nothing_but_our_own_errors_comes_of_damaged_packages_and_no_change_of_what_is_signed_passes(
    make: Callable[[], bytes],
) -> None:
    good, chance = make(), random.Random("appx")
    assert only(good).valid
    for number in range(ROUNDS):
        data = mutated(good, chance)
        try:
            with soon(number):
                facts = read(data)
        except ArtifactError:
            continue
        except Exception as error:
            error.add_note(f"round {number}")
            raise
        dump(facts_json(facts))
        if any(one.valid for one in facts.signatures):
            assert behind_the_files(data) == behind_the_files(good), number


def test_a_block_map_made_to_be_slow_is_not() -> None:
    text = block_map(CONTENTS).replace(b"</BlockMap>", b'<File Name="x" Size="0"/>' * 400_000 + b"</BlockMap>")
    package = raw_zip(*app(map_text=text))
    with few_steps():
        assert not read(package).gaps


CORPUS = Path(os.environ.get("CSV_GATE_CORPUS", "")) / "signed"


def rows() -> list[Mapping[str, str]]:
    if not (CORPUS / "MANIFEST.tsv").is_file():
        return []
    with (CORPUS / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        found = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row for row in found if row["format"] == "appx"]


BROKEN_OTHERWISE = {
    "derived-appx/appx-sha256-ts.appx": "its publisher is another than the signer, which osslsigncode does not compare",
}
"""Packages whose digests are right and whose signature does not hold all the same."""


@pytest.mark.skipif("CSV_GATE_CORPUS" not in os.environ, reason="CSV_GATE_CORPUS is not set")
@pytest.mark.parametrize("row", rows(), ids=lambda row: row["path"])
def test_real_packages_are_read_as_osslsigncode_reads_them(row: Mapping[str, str]) -> None:
    facts = extract((CORPUS / row["path"]).read_bytes(), ExtractionSettings(), name=row["path"])
    assert facts.format == "appx"
    assert facts.package is not None
    assert facts.package.family_name
    matches = [one.digest_matches for one in facts.signatures]
    assert matches == ([row["digest_valid"] == "ok"] if row["signed"] == "yes" else [])
    valid = [one.valid for one in facts.signatures]
    assert valid == (matches if row["path"] not in BROKEN_OTHERWISE else [False]), BROKEN_OTHERWISE.get(row["path"])
    if row["signer_cn"]:
        assert [one.signer and one.signer.subject_cn for one in facts.signatures] == [row["signer_cn"]]


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("osslsigncode") is None:
        pytest.skip("osslsigncode is not installed")
    folder = tmp_path_factory.mktemp("signer")
    encoding = serialization.Encoding.PEM
    key = publisher().key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key)
    pem = [x509.load_der_x509_certificate(one).public_bytes(encoding) for one in publisher().all_certificates]
    (folder / "certs.pem").write_bytes(b"".join(pem))
    return folder


def run(*arguments: str | Path) -> str:
    outcome = subprocess.run(["osslsigncode", *map(str, arguments)], capture_output=True, text=True, check=False)
    return outcome.stdout + outcome.stderr


MADE: dict[str, Callable[[], list[ZipEntry]]] = {
    "app": app,
    "sha512": lambda: app(algorithm="sha512"),
    "catalog": lambda: app(catalog=b"catalog"),
    "bundle": lambda: bundle(INNER),
}


@pytest.mark.parametrize("name", MADE)
def test_osslsigncode_finds_the_packages_of_the_builder_right(signer: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "app.appx"
    path.write_bytes(signed(MADE[name](), digest="sha512" if name == "sha512" else "sha256"))
    outcome = run("verify", "-CAfile", signer / "certs.pem", "-in", path)
    assert "Signature verification: ok" in outcome, outcome


@pytest.mark.parametrize("name", MADE)
def test_what_osslsigncode_signs_holds_here(signer: Path, tmp_path: Path, name: str) -> None:
    source, made = tmp_path / "app.appx", tmp_path / "signed.appx"
    source.write_bytes(raw_zip(*MADE[name](), zip64=True))
    digest = "sha512" if name == "sha512" else "sha256"
    outcome = run("sign", "-certs", signer / "certs.pem", "-key", signer / "key.pem", "-h", digest, "-in", source, "-out", made)
    assert made.exists(), outcome
    found = only(made.read_bytes())
    assert (found.valid, found.digest_matches) == (True, True), found.problems
