from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import pytest

from csv_gate.errors import FormatError, LimitError
from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.model.facts import SignatureSource
from csv_gate.model.problems import ProblemCode
from csv_gate.signatures import Catalog, CatalogIndex, read_catalog
from tests.builders import cms, der
from tests.builders.signing import codes, publisher

DIGEST = hashlib.sha256(b"member").digest()
SHA1 = hashlib.sha1(b"member", usedforsecurity=False).digest()


def catalog(*members: bytes, path: str = "a.cat", **keywords: object) -> Catalog:
    return read_catalog(cms.catalog(publisher(), members, **keywords), path=path)  # type: ignore[arg-type]


def test_both_versions_list_their_members() -> None:
    first = catalog(cms.member(SHA1, digest="sha1", version=1, flat=True), version=1)
    second = catalog(cms.member(DIGEST), cms.member(SHA1, digest="sha1"))
    assert (first.version, second.version) == (1, 2)
    assert [(member.algorithm, member.is_flat) for member in first.members.values()] == [("sha1", True)]
    assert second.algorithms == ("sha1", "sha256")
    assert first.signature.valid
    assert second.signature.valid
    assert second.problems == ()


def test_the_digest_is_that_of_the_attribute_and_a_tag_that_differs_drops_the_member() -> None:
    found = catalog(cms.member(DIGEST, tag=bytes(32)), cms.member(SHA1, digest="sha1"))
    assert set(found.members) == {("sha1", SHA1)}
    assert codes(found.problems) == {ProblemCode.CATALOG_MEMBER_MALFORMED}


def test_an_entry_that_is_only_a_tag_lists_nothing() -> None:
    found = catalog(cms.member(DIGEST, only_tag=True))
    assert not found.members
    assert found.problems == ()


@pytest.mark.parametrize(
    "member",
    [cms.member(DIGEST, digest="sha1"), cms.member(DIGEST, digest="1.2.3"), der.seq(der.octets(b""), der.set_of(der.null()))],
)
def test_a_malformed_member_is_dropped_and_told(member: bytes) -> None:
    found = catalog(member)
    assert not found.members
    assert codes(found.problems) == {ProblemCode.CATALOG_MEMBER_MALFORMED}


def test_a_catalog_whose_signature_is_broken_still_answers_and_is_not_valid() -> None:
    found = catalog(cms.member(DIGEST), message_digest=bytes(32))
    assert not found.signature.valid
    (facts,) = CatalogIndex([found]).signatures_for(lambda algorithm: [DIGEST])
    assert not facts.valid
    assert ProblemCode.CMS_MESSAGE_DIGEST_WRONG in codes(facts)


def test_an_unsigned_catalog_is_not_valid() -> None:
    found = catalog(cms.member(DIGEST), unsigned=True)
    assert codes(found.signature) == {ProblemCode.CMS_SIGNER_COUNT}
    assert not found.signature.valid


def test_the_index_answers_with_the_signatures_of_all_catalogs_that_list_a_file() -> None:
    index = CatalogIndex(
        [catalog(cms.member(DIGEST), path="b.cat"), catalog(cms.member(DIGEST), path="a.cat"), catalog(path="c.cat")]
    )
    asked: list[str] = []

    def digests(algorithm: str) -> Sequence[bytes]:
        asked.append(algorithm)
        return [b"other", DIGEST, DIGEST]

    found = index.signatures_for(digests)
    assert [facts.place for facts in found] == ["a.cat", "b.cat"]
    assert asked == ["sha256"]
    assert all(facts.valid and facts.digest_matches and facts.source is SignatureSource.CATALOG for facts in found)
    assert {facts.signed_digest for facts in found} == {DIGEST.hex()}
    assert all(facts.catalog_sha256 for facts in found)


def test_a_file_that_no_catalog_lists_has_no_signature() -> None:
    assert CatalogIndex([catalog(cms.member(DIGEST))]).signatures_for(lambda algorithm: [bytes(32)]) == ()
    assert CatalogIndex().signatures_for(lambda algorithm: [DIGEST]) == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MZ",
        cms.catalog(publisher(), [], content_type=cms.DATA),
        cms.catalog(publisher(), [], usage="1.2.3"),
        cms.authenticode(publisher(), DIGEST),
    ],
    ids=["empty", "other", "data", "usage", "authenticode"],
)
def test_octets_that_are_no_catalog_are_an_error_that_names_the_file(data: bytes) -> None:
    with pytest.raises(FormatError, match=r"^x\.cat: "):
        read_catalog(data, path="x.cat")


def test_size_and_members_are_bounded() -> None:
    data = cms.catalog(publisher(), [cms.member(DIGEST), cms.member(SHA1, digest="sha1")])
    with pytest.raises(LimitError):
        read_catalog(data, path="x.cat", limits=replace(DEFAULT_LIMITS, max_catalog_bytes=100))
    with pytest.raises(LimitError):
        read_catalog(data, path="x.cat", limits=replace(DEFAULT_LIMITS, max_catalog_members=1))
