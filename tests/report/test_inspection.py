"""What `inspect` says of packages and of signatures that are not Authenticode."""

from __future__ import annotations

import io
from dataclasses import replace

from csv_gate.model.facts import (
    Artifact,
    Digests,
    Facts,
    KeyFacts,
    PackageFacts,
    SignatureFacts,
    SignatureScheme,
    SignatureSource,
)
from csv_gate.report.inspect_tree import render_inspection
from csv_gate.report.options import ReportOptions
from tests.builders import facts as f


def inspected(*signatures: SignatureFacts, package: PackageFacts | None = None) -> str:
    facts = Facts(format="rpm", size=1, digests=Digests(sha256="0" * 64), package=package, signatures=signatures)
    out = io.StringIO()
    render_inspection(Artifact(path="x", facts=facts), out, ReportOptions())
    return out.getvalue()


def by_key(key: KeyFacts, *, valid: bool) -> SignatureFacts:
    return SignatureFacts(
        source=SignatureSource.EMBEDDED,
        scheme=SignatureScheme.RPM,
        role="header",
        place="268",
        digest_algorithm="sha256",
        signed_digest=None,
        digest_matches=None,
        valid=valid,
        key=key,
    )


def test_a_signer_without_certificates_is_told_by_its_key() -> None:
    key = KeyFacts(key_id="be1229cf", is_given=True, fingerprint="ab" * 20, algorithm="rsa", bits=4096, user_ids=("Contoso",))
    text = inspected(by_key(key, valid=True))
    assert "embedded rpm, header 268: valid" in text
    assert f"signer Contoso · key {'ab' * 20}" in text
    assert "rsa 4096" in text


def test_a_key_that_was_not_given_is_told_as_such() -> None:
    assert "key be1229cf, which was not given" in inspected(by_key(KeyFacts(key_id="be1229cf", is_given=False), valid=False))


def test_a_package_says_what_it_is_and_what_its_signature_leaves_out() -> None:
    package = PackageFacts(name="demo", version="1-2", digests_match=False, uncovered=("a.dll",), uncovered_count=1)
    text = inspected(replace(f.signature(), scheme=SignatureScheme.NUGET, role="author"), package=package)
    assert "package name demo · version 1-2" in text
    assert "ITS OWN DIGESTS DO NOT MATCH" in text
    assert "not covered by its signature: 1 members, such as a.dll" in text
    assert "embedded nuget, author 0: valid" in text
