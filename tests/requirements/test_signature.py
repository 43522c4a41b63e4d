"""What is asked of the signature that counts: met, broken, and open where a fact is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from csv_gate.model.facts import (
    ChainEnd,
    FactName,
    Facts,
    KeyFacts,
    SignatureFacts,
    SignatureScheme,
    SignatureSource,
    TimestampKind,
)
from csv_gate.requirements import Expiry, KeyBits, Signer, Stamp
from tests.builders.facts import NOW, authority, certificate, facts, signature, tbs, timestamp
from tests.builders.requirements import checks, judged

OPEN = "CSV806"
BUILD = Signer(name="build", thumbprint=(certificate().thumbprint_sha256,))
OTHER = Signer(name="other", thumbprint=("0" * 64,))


def keyed(*, given: bool = True, bits: int | None = 3072, algorithm: str | None = "rsa") -> SignatureFacts:
    """A signature by an OpenPGP key."""
    key = KeyFacts(
        key_id="ab" * 8, is_given=given, fingerprint="cd" * 12 + "ab" * 8 if given else None, algorithm=algorithm, bits=bits
    )
    made = signature(valid=given, chain_known=False)
    return replace(made, scheme=SignatureScheme.OPENPGP, key=key, digest_matches=True if given else None)


SIGNED = facts(signature())
UNSIGNED = facts()
BROKEN = facts(signature(valid=False))
HIDDEN = facts(gaps=[FactName.SIGNATURES])
UNREAD = facts(gaps=[FactName.CONTENT])
NO_CATALOG = facts(gaps=[FactName.CATALOGS])
WITHOUT_KEY = facts(keyed(given=False), format="rpm")
STAMPED = facts(signature(stamp=timestamp()))
SHA1 = facts(signature(digest_algorithm="sha1"))
EC = facts(signature(certificate(key_algorithm="ec", key_bits=256)))
CASES: list[tuple[str, Facts, dict[str, Any], list[str]]] = [
    ("signed and valid", SIGNED, {"signed": True}, []),
    ("not signed", UNSIGNED, {"signed": True}, ["CSV400"]),
    ("signed and broken", BROKEN, {"signed": True}, ["CSV400"]),
    ("signatures not readable", HIDDEN, {"signed": True}, [OPEN]),
    ("not readable at all", UNREAD, {"signed": True}, [OPEN]),
    ("a catalog not readable", NO_CATALOG, {"signed": True}, [OPEN]),
    ("the key was not given", WITHOUT_KEY, {"signed": True}, [OPEN]),
    ("signed by the one that is named", SIGNED, {"signed_by": (BUILD,)}, []),
    ("signed by one of those that are named", SIGNED, {"signed_by": (OTHER, BUILD)}, []),
    ("signed by another", SIGNED, {"signed_by": (OTHER,)}, ["CSV401"]),
    ("not signed, signer named", UNSIGNED, {"signed_by": (BUILD,)}, ["CSV401"]),
    ("named signer, but broken", BROKEN, {"signed_by": (BUILD,)}, ["CSV401"]),
    ("signer not readable", facts(signature(chain_known=False)), {"signed_by": (BUILD,)}, ["CSV401"]),
    ("signer named, signatures not readable", HIDDEN, {"signed_by": (BUILD,)}, [OPEN]),
    ("the scheme that is named", SIGNED, {"schemes": frozenset({SignatureScheme.AUTHENTICODE})}, []),
    ("another scheme", SIGNED, {"schemes": frozenset({SignatureScheme.NUGET})}, ["CSV402"]),
    ("a scheme, signatures not readable", HIDDEN, {"schemes": frozenset({SignatureScheme.NUGET})}, [OPEN]),
    ("the role that is named", facts(replace(signature(), role="author")), {"roles": frozenset({"author"})}, []),
    ("another role", facts(replace(signature(), role="repository")), {"roles": frozenset({"author"})}, ["CSV403"]),
    ("no role", SIGNED, {"roles": frozenset({"author"})}, ["CSV403"]),
    ("a role, signatures not readable", HIDDEN, {"roles": frozenset({"author"})}, [OPEN]),
    ("a time stamp", STAMPED, {"timestamp": Stamp()}, []),
    ("no time stamp", SIGNED, {"timestamp": Stamp()}, ["CSV404"]),
    ("a time stamp that does not count", facts(signature(stamp=timestamp(valid=False))), {"timestamp": Stamp()}, ["CSV404"]),
    ("no signature, so no time stamp", UNSIGNED, {"timestamp": Stamp()}, ["CSV404"]),
    ("RFC 3161", STAMPED, {"timestamp": Stamp(is_rfc3161=True)}, []),
    (
        "the older kind",
        facts(signature(stamp=replace(timestamp(), kind=TimestampKind.PKCS9))),
        {"timestamp": Stamp(is_rfc3161=True)},
        ["CSV404"],
    ),
    ("a time stamp by whom it names", STAMPED, {"timestamp": Stamp(signers=(Signer(name="tsa", cn=("Time Stamp Service",)),))}, []),
    ("a time stamp by another", STAMPED, {"timestamp": Stamp(signers=(BUILD,))}, ["CSV404"]),
    (
        "a time stamp by a name whose root is not known",
        facts(signature(stamp=timestamp(root=None))),
        {"timestamp": Stamp(signers=(Signer(name="tsa", cn=("Time Stamp Service",)),))},
        [OPEN],
    ),
    ("a time stamp, signatures not readable", HIDDEN, {"timestamp": Stamp()}, [OPEN]),
    ("a digest that is strong enough", SIGNED, {"min_digest": "sha256"}, []),
    ("a stronger one", facts(signature(digest_algorithm="sha512")), {"min_digest": "sha256"}, []),
    ("a weaker one", facts(signature(digest_algorithm="sha1")), {"min_digest": "sha256"}, ["CSV405"]),
    ("a digest that is not told", facts(signature(digest_algorithm=None)), {"min_digest": "sha256"}, [OPEN]),
    ("a digest that nobody knows", facts(signature(digest_algorithm="tiger")), {"min_digest": "sha256"}, [OPEN]),
    ("a long key", SIGNED, {"min_key_bits": KeyBits(rsa=3072)}, []),
    ("a short key", SIGNED, {"min_key_bits": KeyBits(rsa=4096)}, ["CSV406"]),
    ("a key on a curve", EC, {"min_key_bits": KeyBits(rsa=4096, ec=256)}, []),
    ("a short key on a curve", EC, {"min_key_bits": KeyBits(ec=384)}, ["CSV406"]),
    ("a key on a curve of which nothing is asked", EC, {"min_key_bits": KeyBits(rsa=4096)}, []),
    ("a key whose length is not known", facts(signature(certificate(key_bits=None))), {"min_key_bits": KeyBits(rsa=1)}, [OPEN]),
    ("a key of another kind", facts(signature(certificate(key_algorithm="dsa"))), {"min_key_bits": KeyBits(rsa=1)}, [OPEN]),
    ("a key that is always long enough", facts(signature(certificate(key_algorithm="ed25519"))), {"min_key_bits": KeyBits(rsa=9)}, []),
    ("an OpenPGP key", facts(keyed()), {"min_key_bits": KeyBits(rsa=4096)}, ["CSV406"]),
    ("a certificate that lasts", SIGNED, {"expiry": Expiry(days=30)}, []),
    ("a certificate that ends soon", SIGNED, {"expiry": Expiry(days=300)}, ["CSV408"]),
    ("one that ends soon, with a time stamp", STAMPED, {"expiry": Expiry(days=300)}, []),
    ("one that ends soon, with a time stamp that does not help", STAMPED, {"expiry": Expiry(days=300, is_always=True)}, ["CSV408"]),
    (
        "one that ends soon, with a time stamp that does not count",
        facts(signature(stamp=timestamp(valid=False))),
        {"expiry": Expiry(days=300)},
        ["CSV408"],
    ),
    ("one that has ended", facts(signature(certificate(not_after=NOW - timedelta(days=1)))), {"expiry": Expiry(days=0)}, ["CSV408"]),
    ("a signer without certificate", facts(keyed()), {"expiry": Expiry(days=30)}, [OPEN]),
    ("nothing is signed, and only what is counts", UNSIGNED, {"min_digest": "sha256", "if_signed": True}, []),
    ("a weak one, and only what is signed counts", SHA1, {"min_digest": "sha256", "if_signed": True}, ["CSV405"]),
    ("not readable, and only what is signed counts", HIDDEN, {"min_digest": "sha256", "if_signed": True}, [OPEN]),
]  # fmt: skip


@pytest.mark.parametrize(("about", "demands", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_of_the_signature_is_asked(about: Facts, demands: dict[str, Any], expected: list[str]) -> None:
    assert checks(judged(about, **demands)) == expected


def test_one_signature_has_to_meet_everything_and_not_one_this_and_another_that() -> None:
    stamped_by_another = signature(certificate("Fabrikam"), stamp=timestamp())
    found = judged(facts(signature(), stamped_by_another), signed_by=(BUILD,), timestamp=Stamp())
    assert checks(found) == ["CSV404"]


def test_a_second_signature_that_meets_everything_is_enough() -> None:
    old = signature(digest_algorithm="sha1")
    assert (
        judged(facts(old, signature(source=SignatureSource.NESTED, place="0.1")), signed_by=(BUILD,), min_digest="sha256") == ()
    )


def test_a_signature_that_may_be_the_right_one_leaves_it_open_beside_one_that_is_not() -> None:
    may_be = replace(signature(), digest_algorithm=None)
    assert checks(judged(facts(signature(digest_algorithm="sha1"), may_be), min_digest="sha256")) == [OPEN]


def test_a_broken_time_stamp_is_broken_whoever_signed() -> None:
    by_name = Signer(name="build", cn=("Contoso Ltd",))
    assert checks(judged(SIGNED, signed_by=(by_name,), timestamp=Stamp())) == ["CSV404"]


def test_the_message_names_the_set_and_what_is_missing() -> None:
    (found,) = judged(HIDDEN, signed=True)
    assert found.message.startswith("requirement shipped (CSV400): ")
    assert "missing: signatures: not readable in this test" in found.message
    assert found.place is not None


NAMED = Signer(name="build", cn=("Contoso *",))


@pytest.mark.parametrize(
    ("end", "root", "expected"),
    [
        (ChainEnd.GIVEN_ROOT, None, []),
        (ChainEnd.KNOWN_ROOT, "06", []),
        (ChainEnd.KNOWN_ROOT, "0A", ["CSV401"]),
        (ChainEnd.SELF_SIGNED, None, ["CSV401"]),
        (ChainEnd.INCOMPLETE, None, [OPEN]),
    ],
)
def test_a_name_counts_only_below_a_root_that_somebody_vouches_for(
    end: ChainEnd, root: str | None, expected: list[str]
) -> None:
    assert checks(judged(facts(signature(end=end, root=root)), signed_by=(NAMED,))) == expected


@pytest.mark.parametrize(
    ("signer", "fits"),
    [
        (Signer(name="a", cn=("Contoso Ltd",)), True),
        (Signer(name="a", cn=("contoso ltd",)), False),
        (Signer(name="a", cn=("Fabrikam", "Con?oso*")), True),
        (Signer(name="a", subject=("CN=Contoso Ltd",)), True),
        (Signer(name="a", subject=("Contoso Ltd",)), False),
        (Signer(name="a", cn=("Contoso Ltd",), issuer=("Contoso CA",)), True),
        (Signer(name="a", cn=("Contoso Ltd",), issuer=("CN=Contoso CA",)), True),
        (Signer(name="a", cn=("Contoso Ltd",), issuer=("Fabrikam CA",)), False),
        (Signer(name="a", cn=("Contoso Ltd",), thumbprint=("0" * 64,)), False),
        (Signer(name="a", thumbprint=(certificate().thumbprint_sha1,)), True),
        (Signer(name="a", tbs=(tbs("Contoso Ltd", "Contoso CA"),)), True),
        (Signer(name="a", tbs=(tbs("Contoso CA", "Contoso Root", "sha1"),)), True),
        (Signer(name="a", tbs=("f" * 64,)), False),
        (Signer(name="a", fingerprint=("a" * 40,)), False),
        (Signer(name="a", identity=("*",), identity_issuer=("*",)), False),
    ],
)
def test_a_signer_is_known_by_all_kinds_that_are_stated(signer: Signer, fits: bool) -> None:
    about = facts(signature(end=ChainEnd.GIVEN_ROOT))
    assert (judged(about, signed_by=(signer,)) == ()) is fits


def test_a_signature_that_cannot_be_verified_is_open_even_if_its_signer_fits() -> None:
    unverified = replace(signature(valid=False), digest_matches=None)
    assert checks(judged(facts(unverified), signed_by=(BUILD,))) == [OPEN]


def test_a_hash_that_may_be_further_up_the_chain_leaves_it_open() -> None:
    assert checks(judged(SIGNED, signed_by=(Signer(name="a", tbs=("f" * 64,)),))) == [OPEN]


def test_the_hash_of_the_root_is_found_above_the_certificates() -> None:
    about = facts(signature(end=ChainEnd.GIVEN_ROOT, root_tbs={"sha256": "f" * 64}))
    assert judged(about, signed_by=(Signer(name="a", tbs=("f" * 64,)),)) == ()


@pytest.mark.parametrize("signer", [NAMED, Signer(name="a", tbs=(tbs("Contoso CA", "Contoso Root"),))])
def test_whoever_holds_a_certificate_cannot_make_names_below_it(signer: Signer) -> None:
    no_authority = replace(authority(), is_ca=False)
    about = facts(signature(certificate(), no_authority, end=ChainEnd.GIVEN_ROOT))
    assert checks(judged(about, signed_by=(signer,))) == ["CSV401"]


def test_a_certificate_for_something_else_does_not_sign_code_by_its_name() -> None:
    for_servers = certificate(eku=("1.3.6.1.5.5.7.3.1",))
    assert checks(judged(facts(signature(for_servers, end=ChainEnd.GIVEN_ROOT)), signed_by=(NAMED,))) == ["CSV401"]


FINGERPRINT = "cd" * 12 + "ab" * 8


@pytest.mark.parametrize(
    ("about", "fingerprint", "expected"),
    [
        (facts(keyed()), FINGERPRINT, []),
        (facts(keyed()), "0" * 40, ["CSV401"]),
        (facts(keyed(given=False)), FINGERPRINT, [OPEN]),
        (facts(keyed(given=False)), "0" * 40, [OPEN]),
        (SIGNED, FINGERPRINT, ["CSV401"]),
    ],
)
def test_an_openpgp_signer_is_known_by_the_fingerprint_of_a_key_that_was_given(
    about: Facts, fingerprint: str, expected: list[str]
) -> None:
    assert checks(judged(about, signed_by=(Signer(name="a", fingerprint=(fingerprint,)),))) == expected


WORKFLOW, ACTIONS = "https://github.com/contoso/app/.github/workflows/release.yml@refs/tags/v1", "https://actions.example"


@pytest.mark.parametrize(
    ("identity", "issuer", "expected"),
    [
        (WORKFLOW, ACTIONS, []),
        (WORKFLOW.replace("contoso", "mallory"), ACTIONS, ["CSV401"]),
        (WORKFLOW, "https://elsewhere.example", ["CSV401"]),
        (WORKFLOW, None, [OPEN]),
    ],
)
def test_a_sigstore_signer_is_known_by_identity_and_who_vouches_for_it(
    identity: str, issuer: str | None, expected: list[str]
) -> None:
    key = KeyFacts(key_id="ab", is_given=True, user_ids=(identity,), identity_issuer=issuer)
    about = facts(replace(signature(), scheme=SignatureScheme.SIGSTORE, key=key))
    signer = Signer(name="a", identity=("https://github.com/contoso/*",), identity_issuer=(ACTIONS,))
    assert checks(judged(about, signed_by=(signer,))) == expected
