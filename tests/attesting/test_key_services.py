"""A key that a service keeps: AWS KMS and HashiCorp Vault through securesystemslib and their own libraries, with stubs on loopback."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from csv_gate.attesting import Demand, verify
from csv_gate.attesting.keys import SigningKey, signing_key
from csv_gate.errors import UsageError
from tests.builders.attestations import attested
from tests.builders.results import allowed, artifact, result

pytest.importorskip("securesystemslib.signer")
TOKEN = "s.0123456789abcdef"
Sign = Callable[[str, dict[str, str]], dict[str, object]]
"""Path and body of a request to the body of the answer."""


@contextmanager
def service(sign: Sign) -> Iterator[str]:
    """The address of a service that answers every request by `sign`, and with 403 where that raises PermissionError."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, answer = 200, sign(self.path, body)
            except PermissionError:
                status, answer = 403, {"__type": "AccessDeniedException", "errors": [f"denied, said {TOKEN}"]}
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_PUT(self) -> None:
            self.do_POST()

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def held(uri: str, public: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey, folder: Path) -> SigningKey:
    path = folder / "key.pub"
    path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return signing_key(uri, public=path, environment={})


def assert_signs(key: SigningKey) -> None:
    found, faults = verify(attested(result(artifact("a.dll", allowed())), key), Demand(keys=(key.public,)))
    assert (len(found), faults) == (1, ())


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """The variables that AWS's library goes by, for a service at an address."""
    pytest.importorskip("boto3")

    def point_to(url: str) -> None:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {
            "AWS_ENDPOINT_URL_KMS": url,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": TOKEN,
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
            "AWS_MAX_ATTEMPTS": "1",
            "NO_PROXY": "127.0.0.1",
        }.items():
            monkeypatch.setenv(name, value)

    return point_to


def test_kms_signs_the_digest_and_the_public_key_verifies_it(kms: Callable[[str], None], tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    asked: list[dict[str, str]] = []

    def sign(path: str, body: dict[str, str]) -> dict[str, object]:
        asked.append(body)
        digest = base64.b64decode(body["Message"])
        signature = key.sign(digest, ec.ECDSA(utils.Prehashed(SHA256())))
        return {"KeyId": body["KeyId"], "Signature": base64.b64encode(signature).decode(), "SigningAlgorithm": "ECDSA_SHA_256"}

    with service(sign) as url:
        kms(url)
        assert_signs(held("awskms:alias/gate", key.public_key(), tmp_path))
    (one,) = asked
    assert (one["KeyId"], one["MessageType"], one["SigningAlgorithm"]) == ("alias/gate", "DIGEST", "ECDSA_SHA_256")
    assert len(base64.b64decode(one["Message"])) == 32


def test_a_service_that_refuses_ends_in_an_error_without_its_words(kms: Callable[[str], None], tmp_path: Path) -> None:
    def refuse(path: str, body: dict[str, str]) -> dict[str, object]:
        raise PermissionError

    with service(refuse) as url:
        kms(url)
        key = held("awskms:alias/gate", ec.generate_private_key(ec.SECP256R1()).public_key(), tmp_path)
        with pytest.raises(UsageError, match="the key cannot sign") as caught:
            key.sign(b"data")
    assert TOKEN not in str(caught.value)


def test_what_another_key_of_the_service_signed_is_not_believed(kms: Callable[[str], None], tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1())

    def sign(path: str, body: dict[str, str]) -> dict[str, object]:
        signature = other.sign(base64.b64decode(body["Message"]), ec.ECDSA(utils.Prehashed(SHA256())))
        return {"KeyId": "x", "Signature": base64.b64encode(signature).decode(), "SigningAlgorithm": "ECDSA_SHA_256"}

    with service(sign) as url:
        kms(url)
        key = held("awskms:alias/gate", ec.generate_private_key(ec.SECP256R1()).public_key(), tmp_path)
        found, faults = verify(attested(result(artifact("a.dll", allowed())), key), Demand(keys=(key.public,)))
    assert found == ()
    assert faults


def test_vault_signs_and_the_public_key_verifies_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("hvac")
    key = ed25519.Ed25519PrivateKey.generate()
    paths: list[str] = []

    def sign(path: str, body: dict[str, str]) -> dict[str, object]:
        paths.append(path)
        signature = base64.b64encode(key.sign(base64.b64decode(body["input"]))).decode()
        return {"data": {"signature": f"vault:v3:{signature}"}}

    with service(sign) as url:
        monkeypatch.setenv("VAULT_ADDR", url)
        monkeypatch.setenv("VAULT_TOKEN", TOKEN)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert_signs(held("hv:gate/3", key.public_key(), tmp_path))
    assert paths
    assert all(path.startswith("/v1/transit/sign/gate") for path in paths)
