from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.model.facts import ChainEnd
from csv_gate.model.problems import ProblemCode
from csv_gate.signatures.certificate import read_certificate
from csv_gate.signatures.chain import Chain, build_chain
from csv_gate.signatures.roots import Roots
from tests.builders import ca
from tests.builders.signing import authority, codes, publisher


def chain(
    leaf: ca.Identity, embedded: Sequence[bytes], *, roots: Roots | None = None, limits: Limits = DEFAULT_LIMITS
) -> Chain:
    pool = [read_certificate(der) for der in embedded]
    return build_chain(read_certificate(leaf.certificate), pool, roots or Roots.none(), limits)


def names(found: Chain) -> list[str | None]:
    return [certificate.subject_cn for certificate in found.facts.certificates]


def test_a_chain_goes_up_to_a_stranger_that_signs_itself() -> None:
    found = chain(publisher(), publisher().all_certificates)
    assert names(found) == ["Test Publisher", "Test Issuing CA", "Test Root"]
    assert found.facts.end is ChainEnd.SELF_SIGNED
    assert found.problems == ()


def test_a_chain_without_its_root_is_incomplete_and_its_tops_issuer_names_the_root() -> None:
    found = chain(publisher(), [authority().certificate])
    assert found.facts.end is ChainEnd.INCOMPLETE
    assert found.facts.certificates[-1].issuer_cn == "Test Root"
    assert found.problems == ()


def test_a_given_root_ends_the_chain_whether_or_not_it_came_along() -> None:
    roots = Roots.none().with_given([ca.root().certificate])
    embedded = chain(publisher(), publisher().all_certificates, roots=roots)
    absent = chain(publisher(), [authority().certificate], roots=roots)
    assert embedded.facts.end is absent.facts.end is ChainEnd.GIVEN_ROOT
    assert names(embedded)[-1] == "Test Root"
    assert not embedded.facts.root_tbs
    assert names(absent)[-1] == "Test Issuing CA"
    assert absent.facts.root_tbs == embedded.facts.certificates[-1].tbs


def test_a_rogue_authority_with_the_same_name_and_another_key_is_no_link() -> None:
    rogue = ca.root("Test Root", key_label="rogue").issue_authority(key_label="rogue-issuing")
    found = chain(publisher(), [*rogue.all_certificates, *publisher().all_certificates])
    assert found.facts == chain(publisher(), publisher().all_certificates).facts
    assert found.problems == ()


def test_a_leaf_of_a_rogue_authority_does_not_reach_the_true_root() -> None:
    rogue = ca.root("Test Root", key_label="rogue").issue("Test Publisher")
    roots = Roots.none().with_given([ca.root().certificate])
    found = chain(rogue, [], roots=roots)
    assert found.facts.end is ChainEnd.INCOMPLETE
    assert ProblemCode.CHAIN_LINK_INVALID in codes(found.problems)


def test_of_two_crossed_ways_the_one_to_a_root_is_told_and_the_other_is_a_problem() -> None:
    other = ca.root("Other Root", key_label="other-root")
    crossed = other.issue("Test Issuing CA", eku=None, is_ca=True, key_label="issuing", serial=0x2002)
    roots = Roots.none().with_given([other.certificate])
    pool = [*publisher().all_certificates, crossed.certificate]
    found = chain(publisher(), pool, roots=roots)
    assert found.facts.end is ChainEnd.GIVEN_ROOT
    assert found.facts.certificates[1].issuer_cn == "Other Root"
    assert codes(found.problems) == {ProblemCode.CHAIN_AMBIGUOUS}


def test_the_order_of_the_certificates_does_not_matter() -> None:
    other = ca.root("Other Root", key_label="other-root")
    crossed = other.issue("Test Issuing CA", eku=None, is_ca=True, key_label="issuing", serial=0x2002)
    pool = [*publisher().all_certificates, crossed.certificate, other.certificate]
    first = chain(publisher(), pool)
    for seed in range(5):
        random.Random(seed).shuffle(pool)
        assert chain(publisher(), pool).facts == first.facts


def test_a_leaf_that_issued_another_certificate_is_told() -> None:
    sub = publisher().issue("Sub", serial=3, key_label="sub")
    found = chain(sub, sub.all_certificates)
    assert names(found)[:2] == ["Sub", "Test Publisher"]
    assert codes(found.problems) == {ProblemCode.CHAIN_ISSUER_NOT_CA}


def test_a_signer_that_signed_itself_is_told() -> None:
    found = chain(ca.root(), [])
    assert found.facts.end is ChainEnd.SELF_SIGNED
    assert codes(found.problems) == {ProblemCode.CHAIN_SIGNER_IS_ROOT}


def test_a_signer_alone_is_an_incomplete_chain() -> None:
    assert codes(chain(publisher(), []).problems) == {ProblemCode.CHAIN_INCOMPLETE}


def test_certificates_that_certify_each_other_end() -> None:
    one = ca.root("One", key_label="one")
    two = ca.root("Two", key_label="two")
    one_by_two = two.issue("One", eku=None, is_ca=True, key_label="one")
    two_by_one = one.issue("Two", eku=None, is_ca=True, key_label="two")
    leaf = one.issue("Leaf")
    found = chain(leaf, [one_by_two.certificate, two_by_one.certificate])
    assert found.facts.end is ChainEnd.INCOMPLETE
    assert len(found.facts.certificates) == 3


def test_a_long_chain_and_many_crossed_certificates_are_bounded() -> None:
    identity = ca.root()
    for number in range(6):
        identity = identity.issue(f"CA {number}", eku=None, is_ca=True, key_label=f"ca{number % 2}")
    found = chain(identity, identity.all_certificates, limits=replace(DEFAULT_LIMITS, max_chain_length=3))
    assert len(found.facts.certificates) == 3
    assert ProblemCode.CHAIN_TOO_LONG in codes(found.problems)

    one, two = ca.root("One", key_label="one"), ca.root("Two", key_label="two")
    crowd = [
        issuer.issue(subject, eku=None, is_ca=True, key_label=subject.lower(), serial=100 + number).certificate
        for number in range(12)
        for issuer, subject in ((one, "Two"), (two, "One"))
    ]
    assert ProblemCode.CHAIN_TOO_LONG in codes(chain(one.issue("Leaf"), crowd).problems)


def test_key_identifiers_choose_between_issuers_that_both_verify() -> None:
    top = ca.root()
    fitting = top.issue("CA", eku=None, is_ca=True, key_label="issuing", serial=11, key_ids=(b"one", None))
    odd = top.issue("CA", eku=None, is_ca=True, key_label="issuing", serial=12, key_ids=(b"two", None))
    leaf = fitting.issue("Leaf", key_ids=(None, b"one"))
    found = chain(leaf, [odd.certificate, fitting.certificate, top.certificate])
    assert found.facts.certificates[1].serial == "b"
