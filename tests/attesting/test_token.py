"""A key that never leaves its token: PKCS#11 through securesystemslib, on SoftHSM."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from csv_gate.attesting import Demand, verify
from csv_gate.attesting.keys import SigningKey, signing_key
from csv_gate.errors import UsageError
from tests.builders.attestations import attested
from tests.builders.results import allowed, artifact, result

LIBRARY = next((path for path in Path("/usr/lib").glob("**/libsofthsm2.so")), None)
NEEDED = ("softhsm2-util", "pkcs11-tool", "openssl")
pytestmark = pytest.mark.skipif(
    LIBRARY is None or any(shutil.which(tool) is None for tool in NEEDED), reason="needs SoftHSM, OpenSC and openssl"
)
PIN = "4711"


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A token with a P-256 key of id 2; returns the file of its public key."""
    pytest.importorskip("pkcs11")
    pytest.importorskip("securesystemslib.signer")
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm.conf").write_text(f"directories.tokendir = {tmp_path}/tokens\nobjectstore.backend = file\n", "utf-8")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm.conf"))
    monkeypatch.setenv("PYKCS11LIB", str(LIBRARY))
    tool = ["pkcs11-tool", "--module", str(LIBRARY), "--token-label", "gate"]
    for command in (
        ["softhsm2-util", "--init-token", "--free", "--label", "gate", "--pin", PIN, "--so-pin", "1234"],
        [*tool, "--login", "--pin", PIN, "--keypairgen", "--key-type", "EC:secp256r1", "--id", "02", "--label", "attest"],
        [*tool, "--read-object", "--type", "pubkey", "--id", "02", "-o", str(tmp_path / "key.der")],
        ["openssl", "pkey", "-pubin", "-inform", "DER", "-in", str(tmp_path / "key.der"), "-out", str(tmp_path / "key.pub")],
    ):
        subprocess.run(command, capture_output=True, check=True)
    return tmp_path / "key.pub"


def key(token: Path, pin: str) -> SigningKey:
    return signing_key("hsm:2?label=gate", public=token, environment={"CSV_GATE_KEY_SECRET": pin})


def test_a_token_signs_what_its_public_key_verifies_and_nothing_without_the_pin(token: Path) -> None:
    held = key(token, PIN)
    envelopes = attested(result(artifact("a.dll", allowed())), held)
    found, faults = verify(envelopes, Demand(keys=(held.public,)))
    assert (len(found), faults) == (1, ())
    with pytest.raises(UsageError) as caught:
        key(token, "0000").sign(b"data")
    assert "0000" not in str(caught.value)
