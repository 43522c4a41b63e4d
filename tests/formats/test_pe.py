import hashlib

import pytest

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model.facts import FactName, Facts
from csv_gate.model.problems import ProblemCode
from tests.builders.pe import NATIVE, certificate, pe
from tests.builders.version_resource import version_info

SETTINGS = ExtractionSettings()


def _extract(data: bytes) -> Facts:
    return extract(data, SETTINGS)


def _codes(facts: Facts) -> set[ProblemCode]:
    return {problem.code for problem in facts.problems}


def test_an_ordinary_unsigned_image_has_all_facts_and_no_gap() -> None:
    data = pe(versions={0: version_info()}, imports=["kernel32.dll"])
    facts = _extract(data)
    assert facts.format == "pe"
    assert facts.size == len(data)
    assert facts.digests is not None
    assert facts.digests.sha256 == hashlib.sha256(data).hexdigest()
    assert facts.pe is not None
    assert facts.version is not None
    assert facts.signatures == ()
    assert facts.problems == ()
    assert facts.gaps == ()


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_any_buffer_will_do(wrap: type) -> None:
    assert extract(wrap(pe()), SETTINGS) == _extract(pe())


@pytest.mark.parametrize("length", [100, 150, 200])
def test_a_truncated_header_leaves_only_flat_digests(length: int) -> None:
    facts = _extract(pe()[:length])
    assert facts.format == "pe"
    assert facts.digests is not None
    assert facts.digests.sha1 is not None
    assert facts.digests.authenticode_sha256 is None
    assert ProblemCode.PE_TRUNCATED in _codes(facts)
    assert {gap.what for gap in facts.gaps} == {FactName.PE, FactName.AUTHENTICODE, FactName.VERSION, FactName.SIGNATURES}


def test_section_data_past_the_end_is_an_image_that_windows_does_not_load() -> None:
    facts = _extract(pe()[:-100])
    assert ProblemCode.PE_TRUNCATED in _codes(facts)
    assert facts.gap(FactName.PE) is not None
    assert facts.gap(FactName.AUTHENTICODE) is not None


def test_a_layout_that_authenticode_cannot_follow_has_flat_digests_and_says_so() -> None:
    facts = _extract(pe(directory_count=4))
    assert facts.digests is not None
    assert facts.digests.sha1 is not None
    assert facts.gap(FactName.AUTHENTICODE) is not None
    assert facts.gap(FactName.PE) is None
    assert {ProblemCode.PE_DIRECTORY_COUNT_LOW, ProblemCode.PE_NOT_AUTHENTICODE_LAYOUT} <= _codes(facts)


def test_headers_beyond_a_page_leave_only_the_page_hash_open() -> None:
    facts = _extract(pe(headers_size=8192, code=b"c" * 8192))
    assert [gap.what for gap in facts.gaps] == [FactName.PAGE_HASH]
    assert facts.digests is not None
    assert facts.digests.authenticode_sha256 is not None


def test_a_table_that_contradicts_itself_leaves_open_which_signatures_there_are() -> None:
    facts = _extract(pe(table=certificate(b"\x30\x00", length=3)))
    assert ProblemCode.ENTRY_LENGTH_INVALID in _codes(facts)
    assert [gap.what for gap in facts.gaps] == [FactName.SIGNATURES]


def test_a_length_that_is_no_multiple_of_8_is_told_of_unsigned_files_only() -> None:
    assert ProblemCode.PE_LENGTH_NOT_ALIGNED in _codes(_extract(pe(overlay=b"x")))
    signed = _extract(pe(table=certificate(b"\x30\x03abc", rounded=False)))
    assert ProblemCode.PE_LENGTH_NOT_ALIGNED not in _codes(signed)


def test_the_checksum_is_verified_of_drivers_and_where_it_is_asked_for() -> None:
    assert ProblemCode.PE_CHECKSUM_WRONG not in _codes(_extract(pe(checksum=1)))
    assert ProblemCode.PE_CHECKSUM_WRONG in _codes(_extract(pe(checksum=1, subsystem=NATIVE)))
    everything = extract(pe(checksum=1), ExtractionSettings(verify_all_checksums=True))
    assert ProblemCode.PE_CHECKSUM_WRONG in _codes(everything)


def test_overlay_bytes_are_counted() -> None:
    facts = _extract(pe(overlay=b"0123456789"))
    assert facts.pe is not None
    assert facts.pe.overlay_bytes == 10
    assert ProblemCode.PE_OVERLAY in _codes(facts)


def test_a_dos_program_is_not_called_an_image() -> None:
    far = b"MZ" + bytes(58) + (5000).to_bytes(4, "little") + bytes(6000)
    facts = _extract(far)
    assert facts.format == "dos_mz"
    assert facts.pe is None


def test_other_formats_have_their_flat_digest_only() -> None:
    facts = _extract(b"just words\n")
    assert facts.format == "text"
    assert facts.digests is not None
    assert facts.digests.sha256 == hashlib.sha256(b"just words\n").hexdigest()
    assert facts.digests.authenticode_sha256 is None


def test_an_empty_file_is_called_empty() -> None:
    assert _extract(b"").format == "empty"
