from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from csv_gate.errors import ExitCode, PolicyError
from csv_gate.model.appcontrol import PolicyForm
from csv_gate.policies import load_policy, read_policy, write_binary
from tests.builders.policy import BASE_ID, OTHER_ID, policy, policy_xml
from tests.builders.signed_policy import SUBJECT, certificate, signed_policy


def compiled() -> bytes:
    return write_binary(policy())


def test_content_decides_not_the_extension(tmp_path: Path) -> None:
    for name, data in (("a.cip", policy_xml()), ("b.xml", compiled()), ("c.txt", signed_policy(compiled()))):
        (tmp_path / name).write_bytes(data)
    forms = [load_policy(tmp_path / name).form for name in ("a.cip", "b.xml", "c.txt")]
    assert forms == [PolicyForm.XML, PolicyForm.BINARY, PolicyForm.BINARY]


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_signed_policy_names_its_signer(wrapped: bool) -> None:
    data = signed_policy(compiled(), wrapped=wrapped)
    read = read_policy(data, path="SiPolicy.p7b")
    assert read.signature is not None
    assert read.signature.valid
    assert SUBJECT in (read.signature.subject or "")
    assert read.signature.thumbprint_sha1 == hashlib.sha1(certificate(), usedforsecurity=False).hexdigest()
    assert read.sha256 == hashlib.sha256(data).hexdigest()
    assert write_binary(read) == compiled()


def test_a_broken_policy_signature_is_a_fact() -> None:
    read = read_policy(signed_policy(compiled(), break_signature=True), path="p")
    assert read.signature is not None
    assert not read.signature.valid
    assert read.signature.problems
    assert any("signature of the policy is not valid" in note for note in read.notes)


def test_offsets_of_a_signed_policy_are_those_of_the_file() -> None:
    data = signed_policy(compiled()[:-4] + b"\xff\0\0\0")
    with pytest.raises(PolicyError, match="the end tag is not there") as raised:
        read_policy(data, path="p")
    assert raised.value.place is not None
    assert raised.value.place.offset == data.index(b"\xff\0\0\0")


@pytest.mark.parametrize(
    ("data", "got"),
    [
        (signed_policy(compiled(), content_type="1.2.840.113549.1.7.1"), "content of type 1.2.840.113549.1.7.1"),
        (signed_policy(compiled(), detached=True), "no content"),
        (b"\x30\x82\x01\x00" + bytes(256), None),
    ],
)
def test_other_envelopes_are_no_policy(data: bytes, got: str | None) -> None:
    with pytest.raises(PolicyError, match="there is no policy in it") as raised:
        read_policy(data, path="p")
    assert got is None or raised.value.got == got


@pytest.mark.parametrize("data", [b"", b"MZ\x90\0", b"PK\x03\x04", b"\0\0\0\0", b"{}", b"0000"])
def test_other_files_are_no_policy(data: bytes) -> None:
    with pytest.raises(PolicyError, match="not an App Control policy") as raised:
        read_policy(data, path="p")
    assert raised.value.exit_code is ExitCode.USAGE
    assert raised.value.help


def test_a_future_format_is_called_by_its_name() -> None:
    with pytest.raises(PolicyError, match="got format 12, expected 1 to 11"):
        read_policy(b"\x0c" + compiled()[1:], path="p")


def test_a_file_name_that_is_not_the_policy_id_is_noted(tmp_path: Path) -> None:
    for name in (f"{BASE_ID}.cip", f"{OTHER_ID}.cip", "SiPolicy.p7b"):
        (tmp_path / name).write_bytes(compiled())
    assert load_policy(tmp_path / f"{BASE_ID}.cip").notes == ()
    assert load_policy(tmp_path / "SiPolicy.p7b").notes == ()
    assert "Windows would not activate it" in load_policy(tmp_path / f"{OTHER_ID}.cip").notes[0]


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="No such file"):
        load_policy(tmp_path / "none.xml")


def test_a_folder_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="can't be read"):
        load_policy(tmp_path)
