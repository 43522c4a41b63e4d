import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csv_gate.formats import pe_digest
from csv_gate.formats.pe_digest import PeContent, digest_pe, first_page
from csv_gate.formats.pe_layout import PeLayout, read_layout
from csv_gate.limits import DEFAULT_LIMITS
from tests.builders.pe import IA64, certificate, checksum_offset, pe, security_entry_offset

TABLE = certificate(b"\x30\x0b" + b"hello world")
SIGNED = pe(overlay=b"overlay", table=TABLE, after_table=b"behind")


def _layout(data: bytes) -> PeLayout:
    layout = read_layout(memoryview(data), DEFAULT_LIMITS)
    assert isinstance(layout, PeLayout)
    return layout


def _content(data: bytes) -> PeContent:
    return digest_pe(memoryview(data), _layout(data))[1]


def _covered(data: bytes) -> bytes:
    """The Authenticode paper's ranges, written down once more."""
    checksum, entry = checksum_offset(data), security_entry_offset(data)
    offset = int.from_bytes(data[entry : entry + 4], "little")
    size = int.from_bytes(data[entry + 4 : entry + 8], "little")
    rest = data[entry + 8 : offset] + data[offset + size :] if offset else data[entry + 8 :]
    return data[:checksum] + data[checksum + 4 : entry] + rest


@pytest.mark.parametrize("data", [pe(), pe(plus=False), SIGNED, pe(plus=False, table=TABLE), pe(headers_size=1024)])
@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha384", "sha512"])
def test_the_digest_covers_everything_but_checksum_entry_and_table(data: bytes, algorithm: str) -> None:
    assert _content(data).digest(algorithm) == hashlib.new(algorithm, _covered(data)).digest()


def test_all_digests_of_one_pass_agree_with_hashlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pe_digest, "CHUNK_BYTES", 100)
    digests, _ = digest_pe(memoryview(SIGNED), _layout(SIGNED))
    assert digests.sha256 == hashlib.sha256(SIGNED).hexdigest()
    assert digests.authenticode_sha1 == hashlib.sha1(_covered(SIGNED)).hexdigest()
    assert digests.authenticode_sha256 == hashlib.sha256(_covered(SIGNED)).hexdigest()
    assert digests.sha1 is None
    assert digests.padded_authenticode_sha256 is None


@given(position=st.integers(0, len(SIGNED) - 1), bit=st.integers(0, 7))
def test_flipping_a_bit_changes_the_digest_exactly_where_authenticode_covers_it(position: int, bit: int) -> None:
    changed = bytearray(SIGNED)
    changed[position] ^= 1 << bit
    entry = security_entry_offset(SIGNED)
    offset = int.from_bytes(SIGNED[entry : entry + 4], "little")
    omitted = [(checksum_offset(SIGNED), 4), (entry, 8), (offset, len(TABLE))]
    is_omitted = any(start <= position < start + length for start, length in omitted)
    layout = _layout(SIGNED)  # The ranges of the file as it was: a changed header may lie about them.
    before = PeContent(memoryview(SIGNED), layout).digest("sha256")
    after = PeContent(memoryview(bytes(changed)), layout).digest("sha256")
    assert (before == after) is is_omitted


def test_an_unsigned_file_of_odd_length_has_a_padded_digest_beside_the_plain_one() -> None:
    data = pe(overlay=b"12345")
    digests, _ = digest_pe(memoryview(data), _layout(data))
    assert digests.authenticode_sha256 == hashlib.sha256(_covered(data)).hexdigest()
    assert digests.padded_authenticode_sha256 == hashlib.sha256(_covered(data) + bytes(3)).hexdigest()


def test_a_file_that_authenticode_cannot_lay_out_has_flat_digests_alone() -> None:
    data = pe(directory_count=4)
    digests, content = digest_pe(memoryview(data), _layout(data))
    assert digests.sha1 == hashlib.sha1(data).hexdigest()
    assert digests.authenticode_sha1 is digests.authenticode_sha256 is digests.page_sha256 is None
    assert content.digest("sha256") is None
    assert content.page_hash_table("sha256") is None


def test_an_unknown_algorithm_has_no_digest() -> None:
    assert _content(pe()).digest("shake_128") is None


def test_the_first_page_is_the_headers_without_what_is_omitted_filled_with_zeros() -> None:
    data = pe(table=TABLE)
    page = first_page(memoryview(data), _layout(data))
    assert page is not None
    assert len(page) == 4096 - 12
    checksum, entry = checksum_offset(data), security_entry_offset(data)
    assert page == data[:checksum] + data[checksum + 4 : entry] + data[entry + 8 : 512] + bytes(4096 - 512)


def test_headers_beyond_one_page_have_no_known_first_page() -> None:
    data = pe(headers_size=8192, code=b"c" * 8192)
    digests, _ = digest_pe(memoryview(data), _layout(data))
    assert digests.page_sha256 is None


@pytest.mark.parametrize(("machine", "page"), [(0x8664, 4096), (IA64, 8192)])
def test_page_size_follows_the_architecture_and_not_the_section_alignment(machine: int, page: int) -> None:
    data = pe(machine=machine, code=b"c" * 9000, section_alignment=0x10000)
    table = _content(data).page_hash_table("sha256")
    assert table is not None
    rows = [table[at : at + 36] for at in range(0, len(table), 36)]
    offsets = [int.from_bytes(row[:4], "little") for row in rows]
    assert offsets == [0, *range(512, 512 + 9216, page), 512 + 9216]
    last = data[offsets[-2] : offsets[-1]]
    assert rows[-2][4:] == hashlib.sha256(last + bytes(page - len(last))).digest()
    assert rows[-1][4:] == bytes(32)


def test_overlapping_sections_have_no_page_hash_table() -> None:
    data = pe(code=b"c" * 4096, sections=[b"d" * 4096], first_raw_offset=512 + 4096)
    assert _content(data + bytes(0)).page_hash_table("sha256") is not None
    many = pe(code=b"c" * 512, headers_size=None, sections=[b"d" * 512] * 3)
    layout = _layout(many)
    assert _content(many).page_hash_table("sha1") is not None
    whole = type(layout.sections[0])(
        name=b"x", virtual_size=1, virtual_address=0x9000, raw_size=len(many) - 512, raw_offset=512
    )
    from dataclasses import replace

    greedy = replace(layout, sections=(whole,) * 90)
    assert PeContent(memoryview(many), greedy).page_hash_table("sha256") is None
