"""Signed Silverlight packages, made here: no tool that signs them runs anywhere else than on Windows."""

from __future__ import annotations

from csv_gate.containers.budget import Budget
from csv_gate.containers.member import Member
from csv_gate.containers.openers import OPENERS
from csv_gate.formats import ExtractionSettings, extract
from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.model.facts import SignatureFacts, SignatureScheme
from csv_gate.model.problems import Problem
from csv_gate.model.problems import ProblemCode as Code
from tests.builders.signing import codes
from tests.builders.xap import ARCHIVE, xap


def one(data: bytes) -> SignatureFacts:
    facts = extract(data, ExtractionSettings(), name="a.xap")
    assert (facts.format, facts.gaps) == ("xap", ())
    (signature,) = facts.signatures
    assert signature.scheme is SignatureScheme.XAP
    return signature


def test_a_signed_package_is_valid() -> None:
    assert (one(xap()).valid, codes(one(xap()))) == (True, set())


def test_an_unsigned_package_says_nothing() -> None:
    assert extract(ARCHIVE, ExtractionSettings(), name="a.xap").signatures == ()


def test_a_changed_byte_makes_the_digest_mismatch() -> None:
    assert Code.DIGEST_MISMATCH in codes(one(xap().replace(b"app.dll", b"apq.dll")))


def test_a_signature_for_another_kind_of_file_does_not_hold() -> None:
    assert not one(xap(interface=bytes(16))).valid


def test_a_trailer_that_contradicts_itself_does_not_hold() -> None:
    assert codes(one(xap(inner=7))) == {Code.PACKAGE_SIGNATURE_RULE}


def test_the_signature_behind_the_archive_is_no_stray_data() -> None:
    found = list(OPENERS["xap"](memoryview(xap()), "a.xap", Budget(DEFAULT_LIMITS, len(xap()), lambda: 0.0)))
    assert [one.name for one in found if isinstance(one, Member)] == ["AppManifest.xaml", "app.dll"]
    assert not [one for one in found if isinstance(one, Problem)]
