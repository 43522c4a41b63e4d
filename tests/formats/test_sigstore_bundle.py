"""Sigstore bundles, against the vectors of sigstore's own conformance suite, without a network."""

from __future__ import annotations

import json
import os
import socket
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from csv_gate.formats.sigstore_bundle import SigstoreRoot, read_sigstore
from csv_gate.model.facts import SignatureFacts
from csv_gate.model.problems import ProblemCode
from tests.builders.signing import codes

CORPUS = Path(os.environ.get("CSV_GATE_CORPUS", "nowhere")) / "signed/repo-sigstore-conformance"
VECTORS = sorted(path.parent for path in CORPUS.glob("bundle-verify/*/bundle.sigstore.json"))
STAGING = ("rekor2-checkpoint-", "rekor2-dsse-", "rekor2-timestamp-", "rekor2-no-")
"""Vectors of the staging instance, whose root the suite gives beside them and the library ships."""
NOT_VERIFIED = {
    "intoto-with-custom-trust-root": "a log entry of type intoto, which the library gave up",
    "managed-key-and-trusted-root": "made with a key, which cannot be given",
}
"""Bundles that the suite verifies and this project does not, and why. Nothing that the suite refuses is valid here."""


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError(f"asks the network: {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def shipped_root(instance: str) -> Path:
    """A trusted root of sigstore's instances that comes with the library."""
    pytest.importorskip("sigstore")
    (found,) = (
        entry / "trusted_root.json" for entry in Path(str(files("sigstore"))).glob("_store/*") if entry.name.endswith(instance)
    )
    return found


def root_of(vector: Path) -> SigstoreRoot:
    given = vector / "trusted_root.json"
    instance = "sigstage.dev" if vector.name.startswith(STAGING) else "sigstore.dev"
    return SigstoreRoot(given if given.exists() else shipped_root(instance))


def read(vector: Path, *, more: bytes = b"", root: SigstoreRoot | None = None) -> SignatureFacts:
    artifact = vector / "artifact"
    content = (artifact if artifact.exists() else CORPUS / "a.txt").read_bytes() + more
    octets = (vector / "bundle.sigstore.json").read_bytes()
    return read_sigstore(octets, memoryview(content), place="a.sigstore.json", root=root)


@pytest.mark.skipif(not VECTORS, reason="CSV_GATE_CORPUS names no corpus")
@pytest.mark.parametrize("vector", VECTORS, ids=lambda path: path.name)
def test_vectors_of_the_conformance_suite_are_judged_as_it_says(vector: Path) -> None:
    pytest.importorskip("sigstore")
    signature = read(vector, root=root_of(vector))
    expected = not vector.name.endswith("_fail") and vector.name not in NOT_VERIFIED
    assert signature.valid is expected, signature.problems
    assert bool(signature.problems) is not expected
    other = read(vector, more=b"x", root=root_of(vector))
    assert not other.valid


@pytest.mark.skipif(not VECTORS, reason="CSV_GATE_CORPUS names no corpus")
def test_a_valid_bundle_tells_identity_and_issuer() -> None:
    signature = read(CORPUS / "bundle-verify/happy-path-v0.3", root=SigstoreRoot(shipped_root("sigstore.dev")))
    assert signature.key is not None
    assert signature.key.user_ids == (
        "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/"
        "extremely-dangerous-oidc-beacon.yml@refs/heads/main",
    )
    assert signature.more_info == "https://token.actions.githubusercontent.com"
    assert signature.signer is not None


@pytest.mark.skipif(not VECTORS, reason="CSV_GATE_CORPUS names no corpus")
def test_of_a_bundle_for_another_file_no_identity_is_told() -> None:
    signature = read(CORPUS / "bundle-verify/happy-path-v0.3", more=b"x", root=SigstoreRoot(shipped_root("sigstore.dev")))
    assert ProblemCode.DIGEST_MISMATCH in codes(signature)
    assert signature.digest_matches is False
    assert signature.key is not None
    assert signature.key.user_ids == ()
    assert signature.more_info is None


BUNDLE = json.dumps({"mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.3", "verificationMaterial": {}}).encode()


def read_any(octets: bytes, root: SigstoreRoot | None) -> SignatureFacts:
    return read_sigstore(octets, memoryview(b"a"), place="a.sigstore", root=root)


def test_without_a_root_nothing_is_verified_and_the_option_is_named() -> None:
    signature = read_any(BUNDLE, None)
    assert not signature.valid
    assert [problem.code for problem in signature.problems] == [ProblemCode.DETACHED_KEY_MISSING]
    assert "sigstore_root" in signature.problems[0].detail


def test_without_the_library_nothing_is_verified_and_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sigstore", "sigstore.models", "sigstore.verify"):
        monkeypatch.setitem(sys.modules, name, None)
    signature = read_any(BUNDLE, SigstoreRoot(Path("trusted_root.json")))
    assert not signature.valid
    assert "csv-gate[sigstore]" in signature.problems[0].detail


def test_a_root_that_is_none_verifies_nothing(tmp_path: Path) -> None:
    pytest.importorskip("sigstore")
    (tmp_path / "root.json").write_text("{}")
    signature = read_any(BUNDLE, SigstoreRoot(tmp_path / "root.json"))
    assert [problem.code for problem in signature.problems] == [ProblemCode.DETACHED_KEY_MISSING]


@pytest.mark.parametrize("octets", [BUNDLE, b"", b"\xff", b"[" * 100_000, b"{" * 10, b'{"verificationMaterial": 3}'])
def test_what_is_no_bundle_is_told(octets: bytes) -> None:
    signature = read_any(octets, SigstoreRoot(shipped_root("sigstore.dev")))
    assert not signature.valid
    assert [problem.code for problem in signature.problems] == [ProblemCode.SIGSTORE_INVALID]


def test_a_bundle_made_with_a_key_says_that_the_key_is_not_given() -> None:
    octets = BUNDLE.replace(b"{}", b'{"publicKey": {"hint": "a"}}')
    signature = read_any(octets, SigstoreRoot(shipped_root("sigstore.dev")))
    assert [problem.code for problem in signature.problems] == [ProblemCode.DETACHED_KEY_MISSING]
