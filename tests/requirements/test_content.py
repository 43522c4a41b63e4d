"""What is asked of whole files and of containers: met, broken, and open where a fact is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from csv_gate.globs import GlobSet
from csv_gate.model.facts import FactName, Facts, Gap, KeyFacts, PackageFacts, SignatureScheme, SignatureSource
from csv_gate.requirements import Listed, Signer, TestNames, Wanted
from csv_gate.requirements.findings import findings_for, findings_of_member, findings_of_unopened
from tests.builders.facts import NOW, authority, certificate, facts, hex_digest, signature
from tests.builders.requirements import PACKAGES, checks, judged, requirement, seen

OPEN = "CSV806"
HIDDEN = facts(gaps=[FactName.SIGNATURES])
NESTED = signature(source=SignatureSource.NESTED, place="0.1")
LISTED = signature(source=SignatureSource.CATALOG, place="app.cat")
CATALOG = Listed(catalogs=frozenset({hex_digest("catalog")}))
NO_TEST = TestNames()
RELEASE = (certificate(), authority())
UNKNOWN_KEY = replace(
    signature(valid=False, chain_known=False),
    scheme=SignatureScheme.RPM,
    key=KeyFacts(key_id="ab", is_given=False),
    digest_matches=True,
)


def by(*names: str) -> Facts:
    """Signed by a chain of such names, leaf first."""
    leaf, *issuers = (certificate(name, issuer_cn=issuer) for name, issuer in zip(names, (*names[1:], "Root"), strict=True))
    return facts(signature(leaf, *issuers))


CASES: list[tuple[str, Facts, dict[str, Any], list[str]]] = [
    ("a release certificate", facts(signature(*RELEASE)), {"no_test": NO_TEST}, []),
    ("no signature", facts(), {"no_test": NO_TEST}, []),
    ("a test certificate", by("Contoso Test Signing", "Contoso CA"), {"no_test": NO_TEST}, ["CSV407"]),
    ("a test authority", by("Contoso", "TEST-CA"), {"no_test": NO_TEST}, ["CSV407"]),
    ("a word that only holds it", by("Attestation Protest Contest Ltd", "Contoso CA"), {"no_test": NO_TEST}, []),
    ("an authority whose key everybody has", by("Contoso", "Root Agency"), {"no_test": NO_TEST}, ["CSV407"]),
    ("a test root of Microsoft", facts(signature(root="0A")), {"no_test": NO_TEST}, ["CSV407"]),
    ("one that vouches for itself", facts(signature(certificate(is_self_issued=True))), {"no_test": NO_TEST}, ["CSV407"]),
    ("a name that is listed", by("Contoso Nightly", "Contoso CA"), {"no_test": TestNames(patterns=("*nightly*",))}, ["CSV407"]),
    ("a nested test signature", facts(signature(), replace(by("Test", "CA").signatures[0], place="0.1")), {"no_test": NO_TEST}, ["CSV407"]),
    ("a signer that is not readable", facts(signature(chain_known=False)), {"no_test": NO_TEST}, [OPEN]),
    ("signatures not readable", HIDDEN, {"no_test": NO_TEST}, [OPEN]),
    ("all valid", facts(signature(), NESTED), {"all_valid": True}, []),
    ("nothing signed, so nothing is broken", facts(), {"all_valid": True}, []),
    ("the nested one is broken", facts(signature(), replace(NESTED, valid=False, digest_matches=False)), {"all_valid": True}, ["CSV409"]),
    ("one whose key was not given", facts(signature(), UNKNOWN_KEY), {"all_valid": True}, [OPEN]),
    ("one that could not be compared", facts(replace(signature(), valid=False, digest_matches=None)), {"all_valid": True}, [OPEN]),
    ("signatures not readable, all valid", HIDDEN, {"all_valid": True}, [OPEN]),
    ("unsigned, as it must be", facts(), {"must_be_unsigned": True}, []),
    ("unsigned and listed by a catalog", facts(LISTED), {"must_be_unsigned": True}, []),
    ("signed and must not be", facts(signature()), {"must_be_unsigned": True}, ["CSV413"]),
    ("signed, broken, and must not be", facts(signature(valid=False)), {"must_be_unsigned": True}, ["CSV413"]),
    ("perhaps signed", HIDDEN, {"must_be_unsigned": True}, [OPEN]),
    ("listed", facts(LISTED), {"listed": CATALOG}, []),
    ("not listed", facts(signature()), {"listed": CATALOG}, ["CSV412"]),
    ("listed by another catalog", facts(LISTED), {"listed": Listed(catalogs=frozenset({"0" * 64}))}, ["CSV412"]),
    ("listed by a catalog that is broken", facts(replace(LISTED, valid=False)), {"listed": CATALOG}, ["CSV412"]),
    ("perhaps listed", facts(gaps=[FactName.DIGESTS]), {"listed": CATALOG}, [OPEN]),
    ("perhaps listed by a catalog that is not readable", facts(gaps=[FactName.CATALOGS]), {"listed": CATALOG}, [OPEN]),
]  # fmt: skip


@pytest.mark.parametrize(("about", "demands", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_of_the_file_is_asked(about: Facts, demands: dict[str, Any], expected: list[str]) -> None:
    assert checks(judged(about, **demands)) == expected


ZLIB = Signer(name="zlib", thumbprint=(certificate().thumbprint_sha256,))
ROWS = (Wanted(paths=GlobSet.of(["vendor/zlib*.dll"]), signers=(ZLIB,)),)


@pytest.mark.parametrize(
    ("scope", "about", "expected"),
    [
        ("vendor/zlib1.dll", facts(signature()), []),
        ("vendor/zlib1.dll", facts(signature(certificate("Mallory"))), ["CSV401"]),
        ("vendor/zlib1.dll", facts(), ["CSV401"]),
        ("vendor/zlib1.dll", HIDDEN, [OPEN]),
        ("vendor/new.dll", facts(signature()), ["CSV414"]),
    ],
)
def test_a_foreign_file_is_on_the_list_and_signed_by_its_maker(scope: str, about: Facts, expected: list[str]) -> None:
    assert checks(judged(about, scope=scope, wanted=ROWS)) == expected


def package(*, uncovered: tuple[str, ...] = (), signed: bool | None = True, gaps: tuple[Gap, ...] = ()) -> Facts:
    """`signed` is `None` where it has no signature, else whether that is valid."""
    own = () if signed is None else (replace(signature(valid=signed), scheme=SignatureScheme.NUGET),)
    about = PackageFacts(uncovered=uncovered, uncovered_count=len(uncovered))
    return replace(facts(*own, format="nupkg"), package=about, gaps=gaps)


CLOSED = Gap(what=FactName.MEMBERS, why="max_container_depth")


@pytest.mark.parametrize(
    ("about", "is_opened", "expected"),
    [
        (package(), True, []),
        (package(signed=None), True, []),
        (package(uncovered=("lib/late.dll",)), True, ["CSV411"]),
        (package(signed=False), True, ["CSV411"]),
        (package(), False, [OPEN]),
        (package(gaps=(CLOSED,)), True, [OPEN]),
        (package(gaps=(Gap(what=FactName.SIGNATURES, why="no ZIP"),)), True, [OPEN]),
        (facts(format="zip"), True, []),
        (facts(format="7z"), False, [OPEN]),
        (facts(), None, []),
    ],
)
def test_a_package_covers_all_that_is_in_it(about: Facts, is_opened: bool | None, expected: list[str]) -> None:
    """`is_opened` is `None` for what holds no files."""
    looked = seen(about, holds_members=is_opened is not None, is_opened=bool(is_opened))
    assert checks(findings_for(requirement(no_unsigned_content=True), looked, NOW)) == expected


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (facts(signature()), []),
        (facts(LISTED), []),
        (facts(), ["CSV410"]),
        (facts(signature(valid=False)), ["CSV410"]),
        (facts(format="text"), []),
        (facts(format="nupkg"), ["CSV410"]),
        (HIDDEN, [OPEN]),
        (facts(gaps=[FactName.CONTENT]), [OPEN]),
    ],
)
def test_what_can_be_signed_in_a_container_is_signed(member: Facts, expected: list[str]) -> None:
    wanted = requirement(no_unsigned_content=True)
    found = findings_of_member(wanted, "out/a.nupkg", seen(member, scope="out/a.nupkg!/lib/a.dll"), PACKAGES)
    assert checks(found) == expected
    assert all("out/a.nupkg" in finding.message for finding in found)


@pytest.mark.parametrize(
    ("about", "is_opened"),
    [(facts(format="7z"), False), (replace(facts(format="zip"), gaps=(CLOSED,)), True), (facts(format="zip"), False)],
)
def test_a_container_in_a_container_is_looked_into_or_open(about: Facts, is_opened: bool) -> None:
    looked = seen(about, scope="a.zip!/in", holds_members=True, is_opened=is_opened)
    assert checks(findings_of_member(requirement(no_unsigned_content=True), "a.zip", looked, PACKAGES)) == [OPEN]


def test_what_is_in_a_container_that_was_not_opened_may_be_meant() -> None:
    closed = replace(facts(format="zip"), gaps=(CLOSED,))
    (found,) = findings_of_unopened(requirement(signed=True), seen(closed))
    assert found.check == OPEN
    assert "max_container_depth" in found.message
    assert findings_of_unopened(requirement(signed=True), seen(facts(format="zip"))) == ()


def test_hostile_files_cannot_flood_the_result() -> None:
    many = [signature(valid=False, place=str(number)) for number in range(500)]
    found = judged(facts(*many), all_valid=True)
    assert len(found) == 12
    assert "489 more" in found[-1].message
