"""GnuPG makes keys and signatures that are read here, and judges those that are made here. Skipped where it is not installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.model.facts import SignatureFacts, SignatureScheme, SignatureSource
from csv_gate.model.problems import ProblemCode
from csv_gate.signatures.openpgp import KeyRing, read_clear_signed, read_openpgp_signatures
from tests.builders import openpgp as pgp

pytestmark = pytest.mark.skipif(not (shutil.which("gpg") and shutil.which("gpgv")), reason="GnuPG is not installed")
CONTENT = b"line one  \nline two\r\n- three\n\n"
BEGIN = "20200101T000000"
KINDS: Mapping[str, tuple[str, ...]] = {
    "rsa": ("rsa2048", "sign"),
    "ed25519": ("ed25519", "sign"),
    "nistp256": ("nistp256", "sign"),
    "nistp384": ("nistp384", "sign"),
    "nistp521": ("nistp521", "sign"),
    "brainpoolP256r1": ("brainpoolP256r1", "sign"),
    "dsa": ("dsa2048", "sign"),
}


@dataclass(frozen=True, kw_only=True)
class Gpg:
    home: Path

    def run(
        self, *arguments: str, given: bytes = b"", at: str = BEGIN, may_fail: bool = False
    ) -> subprocess.CompletedProcess[bytes]:
        command = [
            "gpg",
            "--homedir",
            str(self.home),
            "--batch",
            "--no-tty",
            "--yes",
            "--passphrase",
            "",
            "--pinentry-mode",
            "loopback",
        ]
        done = subprocess.run(
            [*command, "--faked-system-time", f"{at}!", *arguments],
            input=given,
            capture_output=True,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
        assert may_fail or done.returncode == 0, done.stderr.decode()
        return done

    def make(self, user: str, *how: str, expires: str = "never") -> None:
        self.run("--quick-generate-key", user, *how, expires)

    def exported(self, *users: str) -> bytes:
        return self.run("--export", *users).stdout

    def signed(self, user: str, *how: str, at: str = "20200201T000000") -> bytes:
        return self.run("--local-user", user, "--output", "-", *how, given=CONTENT, at=at).stdout


@pytest.fixture(scope="module")
def gpg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gpg]:
    home = tmp_path_factory.mktemp("g", numbered=True)
    home.chmod(0o700)
    made = Gpg(home=home)
    for name, how in KINDS.items():
        made.make(f"{name}@example.invalid", *how)
    yield made
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, capture_output=True)


def read(octets: bytes, exported: bytes, content: bytes = CONTENT) -> SignatureFacts:
    (facts,) = read_openpgp_signatures(
        octets,
        lambda sink: sink.update(content),
        keys=KeyRing.read(exported),
        scheme=SignatureScheme.OPENPGP,
        source=SignatureSource.DETACHED,
        place="0",
        role=None,
        limits=DEFAULT_LIMITS,
    )
    return facts


@pytest.mark.parametrize("name", KINDS)
def test_detached_signatures_by_keys_of_every_kind_are_valid_here(gpg: Gpg, name: str) -> None:
    exported = gpg.exported(name)
    for how in (
        ("--detach-sign",),
        ("--detach-sign", "--armor"),
        ("--detach-sign", "--textmode"),
        ("--detach-sign", "--digest-algo", "SHA512"),
    ):
        facts = read(gpg.signed(name, *how), exported)
        assert facts.valid, facts.problems
        assert facts.key is not None
        assert facts.key.user_ids == (f"{name}@example.invalid",)
        assert not read(gpg.signed(name, *how), exported, CONTENT + b"x").valid


def test_clear_signed_texts_are_valid_here(gpg: Gpg) -> None:
    octets = gpg.signed("ed25519", "--clear-sign")
    text, (facts,) = read_clear_signed(
        octets,
        keys=KeyRing.read(gpg.exported("ed25519")),
        scheme=SignatureScheme.OPENPGP,
        source=SignatureSource.EMBEDDED,
        place="0",
        role=None,
        limits=DEFAULT_LIMITS,
    )
    assert facts.valid, facts.problems
    assert text == b"line one\r\nline two\r\n- three\r\n"


def test_a_signing_subkey_counts_and_one_for_encryption_does_not_sign(gpg: Gpg) -> None:
    gpg.make("sub@example.invalid", "rsa2048", "cert")
    listing = gpg.run("--with-colons", "--list-keys", "sub@example.invalid").stdout.decode()
    fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr"))
    gpg.run("--quick-add-key", fingerprint, "rsa2048", "sign", "never")
    facts = read(gpg.signed("sub@example.invalid", "--detach-sign"), gpg.exported("sub@example.invalid"))
    assert facts.valid, facts.problems
    assert facts.key is not None
    assert facts.key.fingerprint == fingerprint.lower() != facts.key.key_id


def test_expired_and_prolonged_keys_are_as_gnupg_has_them(gpg: Gpg) -> None:
    gpg.make("short@example.invalid", "ed25519", "sign", expires="30d")
    within = gpg.signed("short@example.invalid", "--detach-sign", at="20200110T000000")
    exported = gpg.exported("short@example.invalid")
    assert read(within, exported).valid
    listing = gpg.run("--with-colons", "--list-keys", "short@example.invalid").stdout.decode()
    fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr"))
    gpg.run("--quick-set-expire", fingerprint, "5y", at="20200120T000000")
    later = gpg.signed("short@example.invalid", "--detach-sign", at="20200601T000000")
    assert {problem.code for problem in read(later, exported).problems} == {ProblemCode.OPENPGP_KEY_UNFIT}
    assert read(later, gpg.exported("short@example.invalid")).valid


def test_a_revoked_key_signs_nothing_any_more(gpg: Gpg, tmp_path: Path) -> None:
    gpg.make("revoked@example.invalid", "ed25519", "sign")
    octets = gpg.signed("revoked@example.invalid", "--detach-sign")
    listing = gpg.run("--with-colons", "--list-keys", "revoked@example.invalid").stdout.decode()
    fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr"))
    stored = (gpg.home / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text()
    (tmp_path / "rev").write_text(stored.replace(":-----BEGIN", "-----BEGIN"))
    assert read(octets, gpg.exported("revoked@example.invalid")).valid
    gpg.run("--import", str(tmp_path / "rev"))
    assert {problem.code for problem in read(octets, gpg.exported("revoked@example.invalid")).problems} == {
        ProblemCode.OPENPGP_KEY_UNFIT
    }


@pytest.mark.parametrize("key", [pgp.ed(), pgp.p256(), pgp.rsa_key()], ids=["ed25519", "p256", "rsa"])
@pytest.mark.parametrize("is_changed", [False, True])
def test_gnupg_agrees_on_signatures_that_are_made_here(key: pgp.Key, is_changed: bool, tmp_path: Path) -> None:
    content = CONTENT + b"x" * is_changed
    octets = pgp.detached(CONTENT, key)
    for name, data in (("keys.gpg", pgp.certificate(key)), ("a.sig", octets), ("a", content)):
        (tmp_path / name).write_bytes(data)
    command = ["gpgv", "--keyring", str(tmp_path / "keys.gpg"), str(tmp_path / "a.sig"), str(tmp_path / "a")]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode == 0) is read(octets, pgp.certificate(key), content).valid is not is_changed, done.stderr
