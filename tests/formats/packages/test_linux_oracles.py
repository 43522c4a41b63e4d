"""rpmkeys, ar and gpgv judge packages that are made here as they are judged here. Skipped where the tools are missing."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model.problems import ProblemCode
from tests.builders import openpgp as pgp
from tests.builders.linux_packages import PAYLOAD, Rpm, ar, deb_members, debsigs

KEY = pgp.rsa_key()
CERTIFICATE = pgp.certificate(KEY)
SETTINGS = ExtractionSettings(openpgp_keys=(CERTIFICATE,))
SIGNED = Rpm(header_key=KEY)
PACKAGES = {
    "unsigned": Rpm(),
    "header": SIGNED,
    "header and package": Rpm(header_key=KEY, whole_key=KEY),
    "by SHA-512, which rpm takes for SHA-256": replace(SIGNED, payload_algorithm=10),
    "kept unpacked": replace(SIGNED, payload_digest="0" * 64, alternative=hashlib.sha256(PAYLOAD).hexdigest()),
    "payload not bound": replace(SIGNED, payload_digest=False),
    "bound by a second signature": Rpm(header_key=KEY, whole_key=KEY, payload_digest=False),
    "no region": replace(SIGNED, region=None),
    "another payload": replace(SIGNED, shipped=b"other"),
    "wrong SHA-1": replace(SIGNED, sha1="0" * 40),
    "wrong SHA-256": replace(SIGNED, sha256="0" * 64),
    "wrong MD5": Rpm(payload_digest=False, md5=bytes(16)),
    "wrong payload digest": Rpm(payload_digest="0" * 64),
    "outside of the region": Rpm(header_key=KEY, main=[(9000, "x")], left_out=1),
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("rpmkeys"):
        pytest.skip("rpmkeys is not installed")
    folder = tmp_path_factory.mktemp("db")
    (folder / "key.asc").write_bytes(pgp.armored(CERTIFICATE, "PUBLIC KEY BLOCK"))
    done = subprocess.run(["rpmkeys", "--dbpath", folder, "--import", folder / "key.asc"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", PACKAGES)
def test_rpmkeys_agrees(name: str, database: Path, tmp_path: Path) -> None:
    octets = PACKAGES[name].build()
    (tmp_path / "a.rpm").write_bytes(octets)
    done = subprocess.run(["rpmkeys", "--dbpath", database, "-Kv", tmp_path / "a.rpm"], capture_output=True, check=False)
    facts = extract(octets, SETTINGS)
    is_good = not facts.problems and not facts.gaps and all(one.valid for one in facts.signatures)
    assert (done.returncode == 0) is is_good, done.stdout.decode()
    said = done.stdout.decode()
    if not facts.gaps:
        assert said.count(" Signature, key ID") == len(facts.signatures)


@pytest.mark.parametrize(
    ("how", "rpm_takes_it"),
    [
        (replace(SIGNED, sha1=False, sha256=False, md5=False, size=False), False),
        (replace(SIGNED, main=[(1000, "other")]), True),
    ],
    ids=["without unsigned digests, which rpm asks for", "with a tag twice, which nobody should read"],
)
def test_where_rpmkeys_differs(how: Rpm, rpm_takes_it: bool, database: Path, tmp_path: Path) -> None:
    octets = how.build()
    (tmp_path / "a.rpm").write_bytes(octets)
    done = subprocess.run(["rpmkeys", "--dbpath", database, "-K", tmp_path / "a.rpm"], capture_output=True, check=False)
    assert (done.returncode == 0) is rpm_takes_it, done.stdout
    assert any(one.valid for one in extract(octets, SETTINGS).signatures) is not rpm_takes_it


def test_rpmkeys_calls_a_key_that_is_not_there_unknown_too(tmp_path: Path) -> None:
    if not shutil.which("rpmkeys"):
        pytest.skip("rpmkeys is not installed")
    (tmp_path / "a.rpm").write_bytes(SIGNED.build())
    done = subprocess.run(["rpmkeys", "--dbpath", tmp_path / "db", "-Kv", tmp_path / "a.rpm"], capture_output=True, check=False)
    assert b"NOKEY" in done.stdout
    (signature,) = extract(SIGNED.build(), ExtractionSettings()).signatures
    assert signature.problems[0].code is ProblemCode.OPENPGP_KEY_UNKNOWN


@pytest.mark.parametrize("is_changed", [False, True])
def test_ar_and_gpgv_agree_on_a_debian_package(is_changed: bool, tmp_path: Path) -> None:
    if not (shutil.which("ar") and shutil.which("gpgv")):
        pytest.skip("ar or gpgv is not installed")
    members = deb_members()
    signature = debsigs(members, KEY)
    if is_changed:
        members[2] = (members[2][0], members[2][1] + b"x")
    octets = ar([*members, signature])
    (tmp_path / "a.deb").write_bytes(octets)
    (tmp_path / "keys.gpg").write_bytes(CERTIFICATE)
    parts = [
        subprocess.run(["ar", "p", tmp_path / "a.deb", name], capture_output=True, check=True).stdout for name, _ in members
    ]
    (tmp_path / "content").write_bytes(b"".join(parts))
    (tmp_path / "a.sig").write_bytes(
        subprocess.run(["ar", "p", tmp_path / "a.deb", "_gpgorigin"], capture_output=True, check=True).stdout
    )
    command = ["gpgv", "--keyring", str(tmp_path / "keys.gpg"), str(tmp_path / "a.sig"), str(tmp_path / "content")]
    done = subprocess.run(command, capture_output=True, check=False)
    (facts,) = extract(octets, SETTINGS).signatures
    assert (done.returncode == 0) is facts.valid is not is_changed
