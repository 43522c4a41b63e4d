from __future__ import annotations

import pytest

from csv_gate.model.problems import ProblemCode
from csv_gate.signatures import read_signed_data
from tests.builders import ca, cms, der
from tests.builders.signing import codes, publisher

POLICY = "1.3.6.1.4.1.311.79.1"


def envelope(content: bytes | None, *, content_type: str = POLICY, covered: bytes | None = None, **keywords: object) -> bytes:
    info = cms.signer_info(
        publisher(), covered if covered is not None else content or b"", content_type=content_type, **keywords
    )  # type: ignore[arg-type]
    wrapped = None if content is None else der.octets(content)
    return cms.signed_data(wrapped, [info], content_type=content_type, certificates=publisher().all_certificates)


def test_an_envelope_gives_its_content_and_its_signer() -> None:
    facts = read_signed_data(envelope(b"policy"))
    assert facts.valid
    assert facts.content == b"policy"
    assert facts.content_type == POLICY
    assert facts.signer is not None
    assert facts.signer.subject_cn == "Test Publisher"
    assert facts.chain is not None


def test_a_changed_content_is_not_valid_but_is_told() -> None:
    facts = read_signed_data(envelope(b"policy", covered=b"another"))
    assert not facts.valid
    assert facts.content == b"policy"
    assert ProblemCode.CMS_MESSAGE_DIGEST_WRONG in codes(facts.problems)


def test_plain_data_may_be_signed_without_attributes() -> None:
    assert read_signed_data(envelope(b"data", content_type=cms.DATA, no_attributes=True)).valid
    assert not read_signed_data(envelope(b"data", no_attributes=True)).valid


def test_a_detached_signature_needs_its_content() -> None:
    block = envelope(None, covered=b"elsewhere")
    assert read_signed_data(block, detached=b"elsewhere").valid
    assert not read_signed_data(block, detached=b"other").valid
    assert not read_signed_data(block).valid
    assert not read_signed_data(envelope(b"inside"), detached=b"other").valid


def test_a_signer_may_be_named_by_key_identifier() -> None:
    signer = ca.root().issue(key_ids=(b"key", None))
    info = cms.signer_info(signer, b"x", content_type=POLICY, by_key_id=b"key", version=3)
    block = cms.signed_data(der.octets(b"x"), [info], content_type=POLICY, certificates=signer.all_certificates)
    assert read_signed_data(block).valid


@pytest.mark.parametrize("block", [b"", b"MZ", der.seq(der.oid(cms.DATA))])
def test_octets_that_are_no_envelope_are_a_fact(block: bytes) -> None:
    facts = read_signed_data(block)
    assert (facts.valid, facts.content, facts.content_type) == (False, None, None)
    assert codes(facts.problems) == {ProblemCode.CMS_MALFORMED}
