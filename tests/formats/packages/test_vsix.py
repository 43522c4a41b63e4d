"""Signed Visual Studio extensions: of our own, and of the corpus."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model.facts import Facts, SignatureFacts, SignatureScheme
from csv_gate.model.problems import ProblemCode as Code
from tests.builders import ca, cms
from tests.builders import vsix as made
from tests.builders.signing import authority, codes, publisher, time_authority

CORPUS = Path(os.environ.get("CSV_GATE_CORPUS", "")) / "signed"


def facts_of(found: Mapping[str, bytes]) -> Facts:
    facts = extract(made.vsix(found), ExtractionSettings(), name="a.vsix")
    assert (facts.format, facts.gaps) == ("vsix", ())
    return facts


def one(found: Mapping[str, bytes]) -> SignatureFacts:
    (signature,) = facts_of(found).signatures
    return signature


def uncovered(facts: Facts) -> tuple[str, ...]:
    assert facts.package is not None
    assert len(facts.package.uncovered) == facts.package.uncovered_count
    return facts.package.uncovered


def test_a_signed_extension_is_valid_and_wholly_covered() -> None:
    facts = facts_of(made.members(publisher()))
    (signature,) = facts.signatures
    assert (signature.scheme, signature.place) == (SignatureScheme.OPC, made.SIGNATURE)
    assert (signature.valid, signature.digest_matches, codes(signature), uncovered(facts)) == (True, True, set(), ())
    assert facts.package is not None
    assert (facts.package.name, facts.package.version, facts.package.publisher) == ("Demo", "1.2", "Contoso")


def test_an_unsigned_extension_says_nothing() -> None:
    facts = facts_of({**made.FILES, "[Content_Types].xml": made.content_types()})
    assert (facts.signatures, facts.problems, uncovered(facts)) == ((), (), ())


@pytest.mark.parametrize("name", ["added.dll", "sub/_rels/x.rels", "package/services/digital-signature/more.dll"])
def test_a_part_that_was_added_is_uncovered_and_told(name: str) -> None:
    facts = facts_of({**made.members(publisher()), name: b"<x/>"})
    (signature,) = facts.signatures
    assert (signature.valid, codes(signature), uncovered(facts)) == (True, {Code.PACKAGE_MEMBER_UNSIGNED}, (name,))


@pytest.mark.parametrize("name", ["demo.dll", "extension.vsixmanifest", "_rels/.rels", made.ORIGIN])
def test_a_part_that_was_changed_makes_the_digest_mismatch(name: str) -> None:
    found = made.members(publisher())
    signature = one({**found, name: found[name] + b" "})
    assert (signature.valid, signature.digest_matches, codes(signature)) == (False, False, {Code.DIGEST_MISMATCH})


def test_a_part_that_is_gone_makes_the_signature_wrong() -> None:
    found = made.members(publisher())
    del found["demo.dll"]
    assert (one(found).valid, codes(one(found))) == (False, {Code.PACKAGE_MEMBER_MISSING})


def test_a_content_type_that_was_changed_is_found_though_its_list_is_not_signed() -> None:
    for types in (
        made.content_types({**made.TYPES, "dll": "text/plain"}),
        made.content_types(overrides={"/demo.dll": "text/plain"}),
        made.content_types({end: type for end, type in made.TYPES.items() if end != "dll"}),
    ):
        signature = one({**made.members(publisher()), "[Content_Types].xml": types})
        assert (signature.valid, codes(signature)) == (False, {Code.PACKAGE_SIGNATURE_RULE})


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"<SignatureValue>", b"<SignatureValue>AAAA", Code.XML_SIGNATURE_WRONG),
        (b"#idPackageObject", b"#idPackageobject", Code.XML_SIGNATURE_MALFORMED),
        (b"xmldsig-more#rsa-sha256", b"xmldsig-more#rsa-sha384", Code.XML_SIGNATURE_WRONG),
        (b"xmldsig-more#rsa-sha256", b"xmldsig-more#hmac-sha256", Code.XML_SIGNATURE_MALFORMED),
        (b"<Manifest>", b"<Manifest> ", Code.DIGEST_MISMATCH),
        (b"</SignedInfo>", b"<Reference/></SignedInfo>", Code.XML_SIGNATURE_MALFORMED),
        (b"?>", b"?><!DOCTYPE x>", Code.XML_SIGNATURE_MALFORMED),
        (b"REC-xml-c14n-20010315", b"REC-xslt-19991116", Code.XML_SIGNATURE_MALFORMED),
        (b"</Signature>", b"", Code.XML_SIGNATURE_MALFORMED),
    ],
)
def test_a_signature_that_was_changed_does_not_hold(old: bytes, new: bytes, code: Code) -> None:
    found = made.members(publisher())
    assert old in found[made.SIGNATURE]
    signature = one({**found, made.SIGNATURE: found[made.SIGNATURE].replace(old, new, 1)})
    assert not signature.valid
    assert code in codes(signature)


def test_white_space_between_unsigned_elements_does_no_harm() -> None:
    found = made.members(publisher())
    found[made.SIGNATURE] = found[made.SIGNATURE].replace(b"<KeyInfo>", b"\r\n  <KeyInfo>").replace(b"></Digest", b" ></Digest")
    assert one(found).valid


@pytest.mark.parametrize("name", ["Id", "id", "ID", "xml:id"])
def test_a_second_object_of_the_same_id_is_refused(name: str) -> None:
    found = made.members(publisher(), more=f'<Object {name}="idPackageObject"><Manifest/></Object>')
    assert (one(found).valid, Code.XML_SIGNATURE_MALFORMED in codes(one(found))) == (False, True)


def test_a_list_of_parts_outside_of_what_is_signed_does_not_count() -> None:
    parts = made.plain_parts()
    listed = "".join(made.part(name, data) for name, data in parts.items())
    signed = made.signature(publisher(), (), signed_object="", more=f"<Object><Manifest>{listed}</Manifest></Object>")
    facts = facts_of({**parts, made.SIGNATURE: signed, "[Content_Types].xml": made.content_types()})
    assert not facts.signatures[0].valid
    assert len(uncovered(facts)) == 3


def with_references(parts: Mapping[str, bytes], references: list[str]) -> dict[str, bytes]:
    signed = made.signature(publisher(), references)
    return {**parts, made.SIGNATURE: signed, "[Content_Types].xml": made.content_types()}


def test_a_part_that_the_list_names_twice_is_refused() -> None:
    parts = made.plain_parts()
    references = [made.part(name, data) for name, data in parts.items()]
    assert one(with_references(parts, references)).valid
    assert not one(with_references(parts, [*references, made.part("Demo.dll", parts["demo.dll"])])).valid


@pytest.mark.parametrize("name", ["http://example.test/x.dll", "../../x.dll", "x.dll", "//host/x.dll"])
def test_the_list_leads_to_parts_of_the_package_alone(name: str) -> None:
    parts = made.plain_parts()
    references = [made.part(key, data) for key, data in parts.items()]
    foreign = references[0].replace("/_rels/.rels", name)
    assert not one(with_references(parts, [*references, foreign])).valid


LINKS = (("A", "urn:demo", "/demo.dll"), ("B", "urn:other", "/extension.vsixmanifest"))


def with_selection(*ids: str) -> dict[str, bytes]:
    """Signed with a transform over the package's relationships that keeps these."""
    parts = made.plain_parts()
    parts["_rels/.rels"] = made.relationships(("R0", made.RELATION + "origin", "/" + made.ORIGIN), *reversed(LINKS))
    kept = made.selected(*(link for link in LINKS if link[0] in ids))
    references = [made.part(name, data) for name, data in parts.items() if name != "_rels/.rels"]
    return with_references(parts, [*references, made.part("_rels/.rels", kept, transforms=made.selection(*ids))])


def test_relationships_that_a_transform_selects_are_signed_in_any_order() -> None:
    facts = facts_of(with_selection("A", "B"))
    assert (facts.signatures[0].valid, codes(facts.signatures[0]), uncovered(facts)) == (True, set(), ())


def test_relationships_that_no_transform_selects_are_uncovered() -> None:
    facts = facts_of(with_selection("A"))
    assert (facts.signatures[0].valid, uncovered(facts)) == (True, ("_rels/.rels",))
    assert codes(facts.signatures[0]) == {Code.PACKAGE_MEMBER_UNSIGNED}


def test_a_selected_relationship_that_was_changed_is_found() -> None:
    found = with_selection("A", "B")
    found["_rels/.rels"] = found["_rels/.rels"].replace(b"/demo.dll", b"/evil.dll")
    assert codes(one(found)) == {Code.DIGEST_MISMATCH}


def test_the_certificate_may_stand_in_a_part_of_its_own() -> None:
    signer = ca.root("Alone")
    facts = facts_of(made.members(signer, certificate_part=signer.certificate))
    assert (facts.signatures[0].valid, uncovered(facts)) == (True, ())


@pytest.mark.parametrize(
    "found", [made.members(publisher(), has_certificate=False), made.members(publisher(), certificate_part=b"x")]
)
def test_without_a_certificate_the_key_is_unknown(found: dict[str, bytes]) -> None:
    signature = one(found)
    assert (signature.valid, signature.digest_matches, signature.signer) == (False, True, None)
    assert Code.XML_SIGNER_MISSING in codes(signature)


def test_a_signature_that_nothing_leads_to_is_told() -> None:
    found = made.members(publisher())
    found["_rels/.rels"] = made.relationships()
    facts = facts_of(found)
    assert [signature.valid for signature in facts.signatures] == [False]
    assert codes(facts.signatures[0]) == {Code.PACKAGE_SIGNATURE_RULE}


def test_names_that_differ_in_case_make_the_signature_doubtful() -> None:
    signature = one({**made.members(publisher()), "Demo.DLL": b"other"})
    assert (signature.valid, Code.MEMBER_NAMES_COLLIDE in codes(signature)) == (False, True)


def test_elliptic_curves_are_verified() -> None:
    signer = authority().issue(key_kind="p256")
    assert one(made.members(signer)).valid


def test_sha1_is_weak_but_holds() -> None:
    signature = one(made.members(publisher(), digest="sha1"))
    assert (signature.valid, codes(signature)) == (True, {Code.WEAK_DIGEST})


def test_a_time_stamp_over_the_signature_is_read() -> None:
    stamp = one(made.members(publisher(), stamp=cms.Stamp(time_authority()))).timestamp
    assert stamp is not None
    assert (stamp.valid, stamp.time) == (True, cms.STAMPED)
    foreign = one(made.members(publisher(), stamp=cms.Stamp(time_authority(), over=b"other"))).timestamp
    assert foreign is not None
    assert not foreign.valid


@pytest.mark.skipif("CSV_GATE_CORPUS" not in os.environ, reason="CSV_GATE_CORPUS names no corpus")
@pytest.mark.parametrize(
    ("path", "is_valid", "time"),
    [
        ("repo-openopcsigntool/OpenVsixSignToolTest-Signed.vsix", True, datetime(2017, 4, 29, 15, 26, 15, tzinfo=UTC)),
        ("repo-relic/VSIXProject1.vsix", True, None),
        ("derived-vsix/manifest-edited.vsix", False, datetime(2017, 4, 29, 15, 26, 15, tzinfo=UTC)),
        ("repo-openopcsigntool/OpenVsixSignToolTest.vsix", None, None),
        ("repo-arcade/test.vsix", None, None),
    ],
)
def test_real_extensions_are_judged_as_their_makers_meant(path: str, is_valid: bool | None, time: datetime | None) -> None:
    facts = extract((CORPUS / path).read_bytes(), ExtractionSettings(), name=path)
    assert [signature.valid for signature in facts.signatures] == ([] if is_valid is None else [is_valid])
    assert uncovered(facts) == ()
    if time is not None:
        stamp = facts.signatures[0].timestamp
        assert stamp is not None
        assert (stamp.valid, stamp.time) == (True, time)
