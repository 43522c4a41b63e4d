from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from csv_gate.authoring.certificates import read_certificates
from csv_gate.errors import ConfigError
from tests.builders.ca import root

SIGNED = Path(__file__).parents[2] / "fixtures" / "binaries" / "app"


def pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def test_pem_der_and_signed_files_all_give_certificates(tmp_path: Path) -> None:
    one, other = root("One", key_label="one"), root("Other", key_label="other")
    (tmp_path / "two.pem").write_bytes(pem(one.certificate) + pem(other.certificate))
    (tmp_path / "one.cer").write_bytes(one.certificate)
    assert [found.subject_cn for found in read_certificates(tmp_path / "two.pem")] == ["One", "Other"]
    assert [found.subject_cn for found in read_certificates(tmp_path / "one.cer")] == ["One"]
    signed = [path for path in sorted(SIGNED.iterdir()) if path.suffix == ".dll"]
    assert any(len(found_in(path)) > 1 for path in signed)


def found_in(path: Path) -> tuple[object, ...]:
    try:
        return read_certificates(path)
    except ConfigError:
        return ()


@pytest.mark.parametrize(
    "data", [b"", b"text", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\x30\x03\x02\x01\x01"]
)
def test_what_holds_no_certificate_is_refused_with_its_place(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.pem"
    path.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        read_certificates(path)
    assert caught.value.place is not None
    assert caught.value.place.path == str(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        read_certificates(tmp_path / "absent.pem")
