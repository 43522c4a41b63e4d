"""Independent tools judge what the builders write, so that writer and reader cannot share one mistake."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from asn1crypto import cms as asn1_cms
from asn1crypto import pem

from csv_gate.signatures import read_signed_data
from tests.builders import ca, cms, der
from tests.builders.signing import file_digest, publisher, time_authority

openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@openssl
@pytest.mark.parametrize("right", [True, False])
def test_openssl_agrees_on_an_envelope(tmp_path: Path, right: bool) -> None:
    info = cms.signer_info(publisher(), b"policy" if right else b"other", content_type=cms.DATA)
    block = cms.signed_data(der.octets(b"policy"), [info], content_type=cms.DATA, certificates=publisher().all_certificates)
    (tmp_path / "block").write_bytes(block)
    (tmp_path / "root.pem").write_bytes(pem.armor("CERTIFICATE", ca.root().certificate))
    command = [
        "openssl",
        "cms",
        "-verify",
        "-binary",
        "-inform",
        "DER",
        "-in",
        "block",
        "-CAfile",
        "root.pem",
        "-purpose",
        "any",
        "-out",
        "out",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=30)
    assert (done.returncode == 0) is right, done.stderr.decode()
    assert read_signed_data(block).valid is right


@openssl
def test_openssl_accepts_the_certificates_that_the_builders_make(tmp_path: Path) -> None:
    for index, identity in enumerate(
        (publisher(), ca.root().issue(pss=True, digest="sha384"), ca.root().issue(key_kind="p256"))
    ):
        (tmp_path / "leaf.pem").write_bytes(pem.armor("CERTIFICATE", identity.certificate))
        (tmp_path / "chain.pem").write_bytes(b"".join(pem.armor("CERTIFICATE", one) for one in identity.chain))
        (tmp_path / "root.pem").write_bytes(pem.armor("CERTIFICATE", ca.root().certificate))
        command = ["openssl", "verify", "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=30)
        assert done.returncode == 0, (index, done.stderr.decode())


def test_a_second_reader_finds_the_same_structure() -> None:
    stamps = [cms.Stamp(time_authority()), cms.Stamp(time_authority(), legacy=True)]
    block = cms.authenticode(publisher(), file_digest(), stamps=stamps)
    signed = asn1_cms.ContentInfo.load(block, strict=True)["content"]
    assert signed["encap_content_info"]["content_type"].dotted == cms.INDIRECT_DATA
    (info,) = signed["signer_infos"]
    assert [attribute["type"].native for attribute in info["signed_attrs"]] == ["content_type", "message_digest"]
    assert info["signature"].native == cms.signature_of(info.dump())
