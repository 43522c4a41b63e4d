from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from csv_gate.attesting.keys import signing_key, verifying_key
from csv_gate.errors import MissingExtraError, UsageError
from tests.builders.attestations import ed25519_key, p256_key, write_key


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())], ids=["rsa", "p384"]
)
def test_a_kind_of_key_that_is_not_used_here_is_refused(key: ec.EllipticCurvePrivateKey, tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(UsageError, match="not used here"):
        signing_key(str(tmp_path / "k"), public=None, environment={})


@pytest.mark.parametrize("data", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b"\xff" * 90_000])
def test_what_is_no_key_is_a_usage_error(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(data)
    with pytest.raises(UsageError):
        signing_key(str(tmp_path / "k"), public=None, environment={})
    with pytest.raises(UsageError):
        verifying_key(tmp_path / "k")
    with pytest.raises(UsageError):
        verifying_key(tmp_path / "nowhere")


def test_a_private_key_is_no_key_to_verify_with(tmp_path: Path) -> None:
    write_key(ed25519_key(), tmp_path)
    with pytest.raises(UsageError, match="public key"):
        verifying_key(tmp_path / "key.pem")


def test_the_passphrase_of_a_key_comes_from_the_environment(tmp_path: Path) -> None:
    key = p256_key()
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame"))
    (tmp_path / "k").write_bytes(locked)
    with pytest.raises(UsageError, match="cannot be read"):
        signing_key(str(tmp_path / "k"), public=None, environment={})
    with pytest.raises(UsageError, match="cannot be read"):
        signing_key(str(tmp_path / "k"), public=None, environment={"CSV_GATE_KEY_SECRET": "wrong"})
    opened = signing_key(str(tmp_path / "k"), public=None, environment={"CSV_GATE_KEY_SECRET": "open sesame"})
    assert opened.public.verifies(opened.sign(b"x").value, b"x")


@pytest.mark.parametrize("make", [ed25519_key, p256_key], ids=["ed25519", "p256"])
def test_a_key_behind_a_uri_signs_through_the_library(make: object, tmp_path: Path) -> None:
    pytest.importorskip("securesystemslib.signer")
    write_key(make(), tmp_path)  # type: ignore[operator]
    key = signing_key(f"file2:{tmp_path}/key.pem", public=tmp_path / "key.pub", environment={})
    assert key.public.verifies(key.sign(b"data").value, b"data")


@pytest.mark.parametrize("uri", ["hsm:2", "awskms:alias/gate", "nonsense:x", "file2:/nowhere"])
def test_a_key_that_cannot_be_reached_is_a_usage_error_that_quotes_no_secret(uri: str, tmp_path: Path) -> None:
    pytest.importorskip("securesystemslib.signer")
    write_key(p256_key(), tmp_path)
    key = signing_key(uri, public=tmp_path / "key.pub", environment={"CSV_GATE_KEY_SECRET": "4711"})
    with pytest.raises(UsageError) as caught:
        key.sign(b"data")
    assert "4711" not in str(caught.value)


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "securesystemslib.signer", None)
    write_key(p256_key(), tmp_path)
    key = signing_key("hsm:2", public=tmp_path / "key.pub", environment={})
    with pytest.raises(MissingExtraError) as caught:
        key.sign(b"data")
    assert "csv-gate[signers]" in str(caught.value.help)


def test_a_key_behind_a_uri_needs_its_public_key() -> None:
    with pytest.raises(UsageError) as caught:
        signing_key("hsm:2", public=None, environment={})
    assert caught.value.expected == "--public-key FILE"
