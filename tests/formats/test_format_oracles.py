"""osslsigncode signs scripts, packages and cabinets that are made here, and judges those that are signed here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from csv_gate.formats import ExtractionSettings, extract
from tests.builders import cabinets, compound
from tests.builders.signing import publisher

TREE: compound.Tree = {
    "Tab": b"a name that begins another",
    "Tables": b"rows " * 40,
    "tables": b"x",
    "Files.cab": b"cabinet " * 900,
    "Empty": b"",
    "S": {"Inner": b"i" * 70, "In": b"ii"},
}
"""One level of storages: osslsigncode links the entries of storages in storages twice when it writes, so that the tree is none."""
DEEP: compound.Tree = {**TREE, "T": {"Inner": b"i" * 70, "Deep": {"Leaf": b"leaf"}}}
SCRIPT = "Write-Output 'h\u00e9llo'\r\nexit\r\n"
UNSIGNED = {
    "package.msi": compound.compound(TREE),
    "files.cab": cabinets.cabinet(),
    "script.ps1": SCRIPT.encode(),
    "marked.psm1": b"\xef\xbb\xbf" + SCRIPT.encode(),
    "wide.ps1": b"\xff\xfe" + SCRIPT.encode("utf-16-le"),
    "no-line-end.psd1": b"@{ a = 1 }",
    "types.ps1xml": b"<Types></Types>\r\n",
    "wmi.mof": b"class A { uint32 b; };\r\n",
}


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("osslsigncode") is None:
        pytest.skip("osslsigncode is not installed")
    folder = tmp_path_factory.mktemp("signer")
    key = publisher().key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(key)
    pem = "".join(_pem(der) for der in publisher().all_certificates)
    (folder / "certs.pem").write_text(pem)
    return folder


def _pem(der: bytes) -> str:
    return x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM).decode()


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["osslsigncode", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("name", "is_extended"), [*((name, False) for name in UNSIGNED), ("package.msi", True)])
@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_what_osslsigncode_signs_holds_here(signer: Path, tmp_path: Path, name: str, digest: str, is_extended: bool) -> None:
    source, made = tmp_path / name, tmp_path / f"signed-{name}"
    source.write_bytes(UNSIGNED[name])
    options = ["-add-msi-dse"] if is_extended else []
    given = ["-certs", str(signer / "certs.pem"), "-key", str(signer / "key.pem"), "-h", digest, *options]
    outcome = _run("sign", *given, "-in", str(source), "-out", str(made))
    if outcome.returncode != 0 and "nsupported" in outcome.stdout + outcome.stderr:
        pytest.skip("this osslsigncode does not know the file type")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    facts = extract(made.read_bytes(), ExtractionSettings(), name=name)
    assert [(one.valid, one.digest_matches) for one in facts.signatures] == [(True, True)], facts


SIGNED = {
    "package.msi": lambda: compound.signed(DEEP, publisher()),
    "extended.msi": lambda: compound.signed(DEEP, publisher(), with_metadata=True),
}


@pytest.mark.parametrize("name", SIGNED)
def test_osslsigncode_finds_the_packages_of_the_builders_right(signer: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(SIGNED[name]())
    outcome = _run("verify", "-CAfile", str(signer / "certs.pem"), "-in", str(path))
    assert "Signature verification: ok" in outcome.stdout, outcome.stdout
