import io
import zipfile

import pytest

from csv_gate.formats.pe_layout import PeLayout, read_layout
from csv_gate.formats.pe_overlay import Overlay, read_overlay
from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.model.problems import ProblemCode
from tests.builders.pe import certificate, pe

TABLE = certificate(b"\x30\x00")


def _overlay(data: bytes) -> Overlay:
    layout = read_layout(memoryview(data), DEFAULT_LIMITS)
    assert isinstance(layout, PeLayout)
    return read_overlay(memoryview(data), layout)


def _zip(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x")
    return buffer.getvalue()


@pytest.mark.parametrize("table", [b"", TABLE])
def test_an_image_without_overlay_has_none(table: bytes) -> None:
    assert _overlay(pe(table=table)) == Overlay(size=0, problems=())


def test_bytes_before_and_behind_the_table_are_overlay() -> None:
    overlay = _overlay(pe(overlay=b"x" * 16, table=TABLE, after_table=b"y" * 5))
    assert overlay.size == 21
    assert [problem.code for problem in overlay.problems] == [ProblemCode.PE_OVERLAY] * 2


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        (_zip("a.txt"), "zip archive"),
        (_zip("META-INF/MANIFEST.MF"), "Java archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "MSI"),
        (b"%PDF-1.7", "PDF"),
        (b"<HTML><script>", "HTML"),
    ],
)
@pytest.mark.parametrize("place", ["overlay", "after_table", "table"])
def test_a_second_format_is_named_wherever_it_hides(hidden: bytes, shown: str, place: str) -> None:
    if place == "overlay":
        data = pe(overlay=hidden)
    elif place == "after_table":
        data = pe(table=TABLE, after_table=hidden)
    else:
        data = pe(table=certificate(b"\x30\x00" + hidden))
    (problem,) = [p for p in _overlay(data).problems if p.code is ProblemCode.PE_OVERLAY_POLYGLOT]
    assert shown in problem.detail


def test_an_end_record_inside_a_section_is_no_polyglot() -> None:
    assert _overlay(pe(code=_zip("a") + bytes(512))).problems == ()
