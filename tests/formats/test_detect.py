import io
import zipfile

import pytest

from csv_gate.formats.detect import ZIP_TAIL_BYTES, detect_format, ends_as_zip, name_by_end, name_zip
from tests.builders.containers import ZipEntry, raw_zip
from tests.builders.pe import pe


def _of(data: bytes) -> str:
    return detect_format(data[:4096], len(data))


@pytest.mark.parametrize(
    ("data", "format"),
    [
        (b"", "empty"),
        (pe(), "pe"),
        (pe(pe_offset=5000), "pe"),
        (pe()[:200], "pe"),
        (b"MZ" + bytes(100), "dos_mz"),
        (b"MZ" + bytes(58) + b"\xff\xff\xff\x7f" + bytes(100), "dos_mz"),
        (b"MZ is how this sentence starts\n", "text"),
        (b"\x7fELF" + bytes(60), "elf"),
        (b"PK\x03\x04" + bytes(60), "zip"),
        (b"MSCF\0\0\0\0" + bytes(60), "cab"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(60), "ole"),
        (b"<?xml version='1.0'?>\n<!-- c --><SiPolicy xmlns='urn:x'>", "policy_xml"),
        ("﻿<SiPolicy>".encode("utf-16-le"), "policy_xml"),
        ("\N{NO-BREAK SPACE}\n<SiPolicy>".encode(), "policy_xml"),
        (b" \r\n\t<SiPolicy>", "policy_xml"),
        (b"see <SiPolicy>", "text"),
        (b"<Project><SiPolicy/></Project>", "text"),
        ("caf\xe9\n".encode(), "text"),
        (b"\x00\x01\x02\x03", "unknown"),
    ],
)
def test_a_format_is_told_by_content(data: bytes, format: str) -> None:
    assert _of(data) == format


def _pkcs7(content_type: str) -> bytes:
    algorithms = "310f300d06096086480165030402010500"
    inner = bytes.fromhex("020101" + algorithms + "302006" + f"{len(content_type) // 2:02x}" + content_type) + bytes(80)
    return bytes.fromhex("3082010006092a864886f70d010702a08200f0308200ec") + inner


def test_a_pkcs7_is_a_catalog_only_by_its_content_type() -> None:
    assert _of(_pkcs7("2b060104018237 0a01".replace(" ", ""))) == "catalog"
    assert _of(_pkcs7("2b0601040182370201 04".replace(" ", ""))) == "pkcs7"


def test_a_truncated_image_is_still_called_one() -> None:
    """Its DOS stub points to a PE header behind the end, as no DOS program's does."""
    assert _of(pe(pe_offset=512)[:100]) == "pe"


@pytest.mark.parametrize(
    ("member", "format"),
    [
        ("AppxBlockMap.xml", "appx"),
        ("extension.vsixmanifest", "vsix"),
        ("META-INF/MANIFEST.MF", "jar"),
        ("Some.Package.nuspec", "nupkg"),
        ("readme.txt", "zip"),
    ],
)
def test_a_package_is_named_by_its_members(member: str, format: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(member, "x")
    assert _of(buffer.getvalue()) == "zip"
    assert name_zip(buffer.getvalue()) == format


@pytest.mark.parametrize("zip64", [True, False])
@pytest.mark.parametrize("inner", [b"AppxBlockMap.xml", b"META-INF/MANIFEST.MF", b"a.nuspec", b".signature.p7s"])
def test_a_package_that_is_stored_in_an_archive_or_lies_in_a_folder_names_not_the_archive(inner: bytes, zip64: bool) -> None:
    package = raw_zip(ZipEntry(name=inner.decode(), method=0))
    outer = raw_zip(ZipEntry(name="inner.zip", data=package, method=0), zip64=zip64, comment=b"PK\5\6")
    assert (name_zip(package) != "zip", name_zip(outer)) == (True, "zip")
    assert name_zip(raw_zip(ZipEntry(name=f"folder/{inner.decode()}"), zip64=zip64)) == "zip"


def test_a_directory_that_is_cut_by_the_tail_names_the_package_still() -> None:
    many = [ZipEntry(name=f"a/{'x' * 200}{number}") for number in range(400)]
    data = raw_zip(*many, ZipEntry(name="AppxBlockMap.xml"))
    assert name_zip(data[-ZIP_TAIL_BYTES:]) == "appx"


def test_an_archive_is_found_from_its_end_where_something_stands_before_it() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("demo.nuspec", "<package/>")
        archive.comment = b"with a comment"
    data = b"\0\1\2" * 2000 + out.getvalue()
    assert ends_as_zip(data)
    assert not ends_as_zip(data + b"more")
    assert name_by_end(_of(data), data) == "nupkg"
    assert name_by_end("text", data) == "text"


def test_an_image_whose_header_could_be_one_of_an_archive_stays_an_image() -> None:
    data = bytearray(pe(pe_offset=512))
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    assert _of(bytes(data)) == "pe"
