from __future__ import annotations

import base64
import csv
import hashlib
import os
import random
from pathlib import Path

import pytest

from csv_gate.errors import ArtifactError
from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model.facts import Facts, SignatureFacts, SignatureScheme
from csv_gate.model.problems import ProblemCode
from csv_gate.signatures import Roots
from tests.builders import ca, cms
from tests.builders.containers import ZipEntry
from tests.builders.nupkg import FILES, nupkg, signature

ROOT = ca.root()
AUTHOR = ROOT.issue("Author")
REPOSITORY = ROOT.issue("Repository", key_label="repository", serial=0x2002)
STAMPER = ROOT.issue("Stamper", eku=("1.3.6.1.5.5.7.3.8",), key_label="stamper", serial=0x3003)
SETTINGS = ExtractionSettings(roots=Roots.none().with_given([ROOT.certificate]))
UNSIGNED = nupkg()
GOOD = nupkg(signature(UNSIGNED, AUTHOR))


def read(data: bytes) -> Facts:
    return extract(data, SETTINGS, name="demo.nupkg")


def only(data: bytes) -> SignatureFacts:
    (found,) = read(data).signatures
    return found


def codes(found: SignatureFacts) -> set[ProblemCode]:
    return {problem.code for problem in found.problems}


def test_an_unsigned_package_has_no_signature_and_says_what_it_is() -> None:
    facts = read(UNSIGNED)
    assert facts.signatures == ()
    assert facts.package is not None
    assert (facts.package.name, facts.package.version, facts.package.publisher) == ("Demo", "1.2.3", "Contoso")


@pytest.mark.parametrize("place", [None, 0, 1])
@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_an_authors_signature_holds_wherever_it_stands(place: int | None, digest: str) -> None:
    found = only(nupkg(signature(UNSIGNED, AUTHOR, digest=digest), place=place))
    assert (found.valid, found.digest_matches, found.role) == (True, True, "author"), found.problems
    assert found.scheme is SignatureScheme.NUGET
    assert found.signer is not None
    assert found.signer.subject_cn == "Author"


def test_a_comment_of_the_archive_is_signed_too() -> None:
    package = nupkg(comment=b"hello")
    assert only(nupkg(signature(package, AUTHOR), comment=b"hello")).valid
    assert not only(nupkg(signature(package, AUTHOR), comment=b"other")).valid


def test_a_repository_counter_signs_an_authors_signature() -> None:
    author, repository = read(nupkg(signature(UNSIGNED, AUTHOR, counter=REPOSITORY))).signatures
    assert (author.valid, author.role) == (True, "author"), author.problems
    assert (repository.valid, repository.role, repository.place) == (True, "repository", ".signature.p7s.0"), (
        repository.problems
    )


def test_a_counter_signature_falls_with_the_package() -> None:
    files = [*FILES, ZipEntry(name="added.dll", data=b"MZ")]
    found = read(nupkg(signature(UNSIGNED, AUTHOR, counter=REPOSITORY), files=files)).signatures
    assert [one.valid for one in found] == [False, False]


def test_a_counter_signature_that_was_moved_to_another_package_does_not_hold() -> None:
    """Its octets, and those of the author's signature that it covers, are right: only the author's signature is over another text."""

    def text(package: bytes) -> bytes:
        hashed = base64.b64encode(hashlib.sha256(package).digest()).decode()
        return f"Version:1\n\n2.16.840.1.101.3.4.2.1-Hash:{hashed}\n\n".encode()

    evil = [FILES[0], ZipEntry(name="lib/demo.dll", data=b"MZ evil" * 300)]
    moved = signature(UNSIGNED, AUTHOR, counter=REPOSITORY).replace(text(UNSIGNED), text(nupkg(files=evil)))
    found = read(nupkg(moved, files=evil)).signatures
    assert [one.digest_matches for one in found] == [True, True]
    assert [one.valid for one in found] == [False, False]


def test_a_repositorys_signature_cannot_be_counter_signed() -> None:
    found = read(nupkg(signature(UNSIGNED, REPOSITORY, role="repository", counter=REPOSITORY))).signatures
    assert [one.valid for one in found] == [True, False]


def test_a_time_stamp_over_the_signature_counts() -> None:
    found = only(nupkg(signature(UNSIGNED, AUTHOR, stamp=cms.Stamp(STAMPER))))
    assert found.valid, found.problems
    assert found.timestamp is not None
    assert found.timestamp.valid


def test_a_repository_signs_alone() -> None:
    assert only(nupkg(signature(UNSIGNED, REPOSITORY, role="repository"))).role == "repository"


@pytest.mark.parametrize(
    "files",
    [
        [*FILES, ZipEntry(name="added.dll", data=b"MZ")],
        FILES[:1],
        FILES[::-1],
        [FILES[0], ZipEntry(name="lib/demo.dll", data=b"MZ evil" * 300)],
        [FILES[0], ZipEntry(name="lib/Demo.dll", data=b"MZ demo" * 300)],
    ],
)
def test_a_package_that_is_not_the_signed_one_is_told(files: list[ZipEntry]) -> None:
    found = only(nupkg(signature(UNSIGNED, AUTHOR), files=files))
    assert (found.valid, found.digest_matches) == (False, False)
    assert ProblemCode.DIGEST_MISMATCH in codes(found)


@pytest.mark.parametrize(
    "data",
    [
        nupkg(signature(UNSIGNED, AUTHOR), method=8),
        nupkg(signature(UNSIGNED, AUTHOR), prefix=b"#!/bin/sh\n"),
        nupkg(signature(UNSIGNED, AUTHOR), trailing=b"more"),
        nupkg(signature(UNSIGNED, AUTHOR), files=[*FILES, ZipEntry(name=".signature.p7s", data=b"x", method=0)]),
        nupkg(signature(UNSIGNED, AUTHOR, role=None)),
        nupkg(signature(UNSIGNED, REPOSITORY, role="repository", has_index=False)),
        nupkg(signature(UNSIGNED, AUTHOR, is_bound=False)),
        nupkg(signature(UNSIGNED, AUTHOR, bound_to=REPOSITORY.certificate)),
        nupkg(signature(UNSIGNED, AUTHOR, digest="sha1")),
        nupkg(signature(UNSIGNED, AUTHOR, text=b"Version:2\n\n")),
        nupkg(signature(UNSIGNED, AUTHOR, text=b"Version:1\n\nnothing\n\n")),
        nupkg(signature(UNSIGNED, AUTHOR, stamp=cms.Stamp(STAMPER, over=b"another"))),
        nupkg(signature(UNSIGNED, ROOT.issue("Weak", key_kind="rsa1024", key_label="weak"))),
        nupkg(signature(UNSIGNED, ROOT.issue("Old", digest="sha1"))),
        nupkg(signature(UNSIGNED, ROOT.issue("Mail", eku=("1.3.6.1.5.5.7.3.4",)))),
        nupkg(signature(UNSIGNED, ROOT.issue("Life", eku=("1.3.6.1.5.5.7.3.3", "1.3.6.1.4.1.311.10.3.13")))),
        nupkg(b"\x30\x03\x02\x01\x01"),
        nupkg(b""),
    ],
)
def test_a_signature_that_breaks_a_rule_does_not_hold_and_says_which(data: bytes) -> None:
    found = read(data).signatures
    assert found
    assert not any(one.valid for one in found)
    assert all(one.problems and all(problem.detail for problem in one.problems) for one in found)


@pytest.mark.parametrize("name", [".SIGNATURE.P7S", "x/.signature.p7s", ".signature.p7s "])
def test_a_file_of_nearly_the_name_is_no_signature(name: str) -> None:
    assert read(nupkg(signature(UNSIGNED, AUTHOR), name=name)).signatures == ()


def test_no_change_of_a_signed_package_keeps_it_valid() -> None:
    chance = random.Random("nupkg")
    for _ in range(int(os.environ.get("CSV_GATE_MUTATIONS", "400"))):
        changed = bytearray(GOOD)
        match chance.randrange(4):
            case 0:
                changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
            case 1:
                del changed[chance.randrange(len(changed)) :]
            case 2:
                at = chance.randrange(len(changed))
                changed[at:at] = chance.randbytes(chance.randint(1, 40))
            case _:
                at, other = chance.randrange(len(changed)), chance.randrange(len(changed))
                changed[at : at + 4] = changed[other : other + 4]
        try:
            facts = read(bytes(changed))
        except ArtifactError:
            continue
        if bytes(changed) != GOOD and any(one.valid for one in facts.signatures):
            # Octets of the CMS that nothing signs (certificates' order, unsigned parts) and of the local header's time may differ.
            assert unsigned_part(bytes(changed)), "a changed package passed for the signed one"


def unsigned_part(changed: bytes) -> bool:
    """Whether only the member `.signature.p7s`, or its record, differs."""
    at = GOOD.index(b".signature.p7s") - 30
    record = GOOD.rindex(b"PK\1\2")
    end_of_member = GOOD.index(b"PK\1\2")
    same_length = len(changed) == len(GOOD)
    rest = GOOD[:at] + GOOD[end_of_member:record] + GOOD[record + 46 + 14 :]
    return same_length and changed[:at] + changed[end_of_member:record] + changed[record + 46 + 14 :] == rest


CORPUS = Path(os.environ.get("CSV_GATE_CORPUS", "")) / "signed"
REAL = {
    "repo-arcade/IncorrectlySignedPackage.1.0.0.nupkg": [("author", False)],
    "repo-arcade/Signed.1.2.3.nupkg": [("author", False)],
    "repo-arcade/UnsignedContents.nupkg": [("author", False)],
    "repo-arcade/SignedPackage.1.0.0.nupkg": [("author", True)],
    "repo-nuget.client/Test.RepoCountersigned.1.0.0.nupkg": [("repository", True)],
    "repo-nuget.client/Test.Reposigned.1.0.0.nupkg": [("repository", True)],
    "repo-nuget.client/TestPackage.AuthorSigned.1.0.0.nupkg": [("author", True)],
    "repo-nuget.client/UntrustedTimestampPackage.nupkg": [("author", True)],
}
"""(role, whether the signature holds), as openssl and a second computation of the digest say. The first three were made by pasting a
signature into another package."""


@pytest.mark.skipif("CSV_GATE_CORPUS" not in os.environ, reason="CSV_GATE_CORPUS is not set")
@pytest.mark.parametrize("name", REAL)
def test_real_packages_are_read_as_other_tools_read_them(name: str) -> None:
    facts = extract((CORPUS / name).read_bytes(), ExtractionSettings(), name=name)
    assert [(one.role, one.valid) for one in facts.signatures] == REAL[name]


def rows() -> list[dict[str, str]]:
    if not (CORPUS / "MANIFEST.tsv").is_file():
        return []
    with (CORPUS / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file, delimiter="\t") if row["format"] == "nupkg"]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["path"])
def test_every_package_of_the_corpus_is_read_as_a_second_computation_of_its_digest_said(row: dict[str, str]) -> None:
    facts = extract((CORPUS / row["path"]).read_bytes(), ExtractionSettings(), name=row["path"])
    assert [one.valid for one in facts.signatures] == ([row["digest_valid"] == "ok"] if row["signed"] == "yes" else [])
