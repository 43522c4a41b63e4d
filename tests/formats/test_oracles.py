"""Independent tools sign and hash builder-made images; the digests here have to be theirs."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from csv_gate.formats.pe_certificates import read_certificate_table
from csv_gate.formats.pe_digest import PeContent, digest_pe
from csv_gate.formats.pe_layout import PeLayout, read_layout
from csv_gate.limits import DEFAULT_LIMITS
from tests.builders.pe import NATIVE, X86, certificate, pe

IMAGES = {
    "pe32": pe(plus=False, machine=X86, checksum=None),
    "pe32plus": pe(checksum=None),
    "driver": pe(subsystem=NATIVE, imports=["ntoskrnl.exe"], code=b"\x90" * 20000),
    "overlay": pe(overlay=b"installer payload" * 999),
    "odd length": pe(overlay=b"odd"),
    "headers reach into the first section": pe(headers_size=1024),
    "code starts below its own header page": pe(sections=[b"data" * 5000], section_alignment=0x2000),
}


def _layout(data: bytes) -> PeLayout:
    layout = read_layout(memoryview(data), DEFAULT_LIMITS)
    assert isinstance(layout, PeLayout)
    return layout


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with key.pem and cert.pem of a throw-away code signer."""
    if shutil.which("osslsigncode") is None:
        pytest.skip("osslsigncode is not installed")
    folder = tmp_path_factory.mktemp("signer")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Oracle Test")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    cert = (
        x509.CertificateBuilder(name, name, key.public_key(), 1000, start, start + timedelta(days=9000))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    (folder / "cert.pem").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    return folder


def _sign(signer: Path, folder: Path, data: bytes, *options: str) -> bytes:
    unsigned, signed = folder / "unsigned.exe", folder / "signed.exe"
    unsigned.write_bytes(data)
    signed.unlink(missing_ok=True)
    command = ["osslsigncode", "sign", "-certs", str(signer / "cert.pem"), "-key", str(signer / "key.pem"), *options]
    subprocess.run([*command, "-in", str(unsigned), "-out", str(signed)], check=True, capture_output=True)
    return signed.read_bytes()


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384"])
def test_osslsigncode_signs_the_digest_that_is_computed_here(signer: Path, tmp_path: Path, image: str, algorithm: str) -> None:
    data = _sign(signer, tmp_path, IMAGES[image], "-h", algorithm)
    layout = _layout(data)
    table = read_certificate_table(memoryview(data), layout, DEFAULT_LIMITS)
    digest = PeContent(memoryview(data), layout).digest(algorithm)
    assert table.problems == ()
    assert layout.not_authenticode is None
    assert digest is not None
    assert digest in table.entries[0].der


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_osslsigncode_writes_the_page_hashes_that_are_computed_here(signer: Path, tmp_path: Path, algorithm: str) -> None:
    data = _sign(signer, tmp_path, IMAGES["driver"], "-h", algorithm, "-ph")
    table = read_certificate_table(memoryview(data), _layout(data), DEFAULT_LIMITS)
    pages = PeContent(memoryview(data), _layout(data)).page_hash_table(algorithm)
    assert pages is not None
    assert pages in table.entries[0].der


def test_the_padded_digest_of_an_unsigned_file_is_the_one_that_a_signer_signs(signer: Path, tmp_path: Path) -> None:
    data = IMAGES["odd length"]
    signed = _sign(signer, tmp_path, data, "-h", "sha256")
    unsigned, _ = digest_pe(memoryview(data), _layout(data))
    after, _ = digest_pe(memoryview(signed), _layout(signed))
    assert unsigned.padded_authenticode_sha256 == after.authenticode_sha256


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("table", [b"", certificate(b"\x30\x00")])
def test_lief_computes_the_same_digest(image: str, table: bytes) -> None:
    lief = pytest.importorskip("lief")
    lief.logging.disable()
    data = IMAGES[image] + (bytes(-len(IMAGES[image]) % 8) if table else b"")
    if table:
        entry = _layout(data).security_entry_offset
        assert entry is not None
        where = len(data).to_bytes(4, "little") + len(table).to_bytes(4, "little")
        data = data[:entry] + where + data[entry + 8 :] + table
    theirs = bytes(lief.PE.parse(data).authentihash(lief.PE.ALGORITHMS.SHA_256)).hex()
    assert digest_pe(memoryview(data), _layout(data))[0].authenticode_sha256 == theirs
