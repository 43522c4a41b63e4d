"""Scripts: what their signatures cover, where a block counts, and what spoils one."""

from __future__ import annotations

import hashlib

import pytest

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.formats.extraction import SCRIPTS
from csv_gate.formats.script_kinds import BY_FORMAT
from csv_gate.limits import Limits
from csv_gate.model.facts import FactName, Facts
from csv_gate.model.problems import ProblemCode as Code
from tests.builders import scripts
from tests.builders.signing import codes, publisher

POWERSHELL = "Write-Output 'hello'\r\nexit 0\r\n"
EXTENSIONS = ("ps1", "ps1xml", "mof", "vbs", "js", "wsf")


def read(text: str | bytes, name: str = "a.ps1", *, encoding: str = "utf-8", limits: Limits | None = None) -> Facts:
    data = text if isinstance(text, bytes) else text.encode(encoding)
    settings = ExtractionSettings(limits=limits) if limits else ExtractionSettings()
    return extract(data, settings, name=name)


def signed(kind: str = "ps1", text: str = POWERSHELL, after: str = "", **options: object) -> str:
    return scripts.signed(kind, text, after, signer=publisher(), **options)


def all_codes(facts: Facts) -> set[Code]:
    return codes(facts.problems) | {code for signature in facts.signatures for code in codes(signature)}


@pytest.mark.parametrize("kind", EXTENSIONS)
def test_a_signed_script_of_each_kind_holds(kind: str) -> None:
    facts = read(signed(kind), f"a.{kind}")
    assert [one.valid for one in facts.signatures] == [True], facts
    assert facts.script is not None
    assert facts.script.signature_line == 4


@pytest.mark.parametrize("kind", EXTENSIONS)
def test_a_changed_letter_makes_the_digest_mismatch(kind: str) -> None:
    facts = read(signed(kind).replace("hello", "hullo"), f"a.{kind}")
    assert [(one.valid, one.digest_matches) for one in facts.signatures] == [(False, False)]


@pytest.mark.parametrize("kind", [kind for kind in EXTENSIONS if kind != "ps1"])
def test_a_block_counts_only_in_the_comment_style_of_its_own_file_type(kind: str) -> None:
    facts = read(signed(kind), "a.ps1")
    assert facts.signatures == ()
    assert Code.SCRIPT_BLOCK_FOREIGN in codes(facts.problems)


def test_a_signature_for_programs_is_none_for_a_script() -> None:
    facts = read(signed(data_type="1.3.6.1.4.1.311.2.1.15", value=None))
    assert facts.signatures[0].digest_matches is True
    assert not facts.signatures[0].valid
    assert Code.CMS_OTHER_SUBJECT in codes(facts.signatures[0])


def test_a_signature_for_powershell_is_none_for_a_jscript() -> None:
    facts = read(signed("js", value=scripts.sip_info(scripts.POWERSHELL)), "a.js")
    assert not facts.signatures[0].valid
    assert Code.CMS_OTHER_SUBJECT in codes(facts.signatures[0])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_is_signed_by_powershell(encoding: str) -> None:
    facts = read(signed(text="\ufeff" + POWERSHELL), encoding=encoding)
    assert [one.valid for one in facts.signatures] == [True]
    assert facts.script is not None
    assert (facts.script.encoding, facts.script.has_bom) == (encoding, True)
    assert not read(signed(text=POWERSHELL).encode("utf-8-sig")).signatures[0].valid


def test_a_byte_order_mark_is_not_signed_by_the_script_host() -> None:
    assert read("\ufeff" + signed("vbs"), "a.vbs").signatures[0].valid


def test_text_in_the_code_page_of_the_machine_leaves_a_gap() -> None:
    facts = read(signed("vbs", "' Grüße – für 5 €\r\n").encode("cp1252"), "a.vbs")
    assert facts.signatures[0].valid
    assert {gap.what for gap in facts.gaps} == {FactName.AUTHENTICODE, FactName.SIGNATURES}


def test_powershell_without_a_mark_is_utf_8_and_other_bytes_leave_a_gap() -> None:
    assert read(signed(text="# Grüße\r\n")).signatures[0].valid
    facts = read("# Grüße\r\n".encode("cp1252"))
    assert facts.digests is not None
    assert facts.digests.authenticode_sha256 is None
    assert facts.gap(FactName.AUTHENTICODE)


def test_normalised_line_ends_are_named_as_the_cause() -> None:
    facts = read(signed().replace("\r\n", "\n"))
    (signature,) = facts.signatures
    assert not signature.valid
    assert any("valid if CRLF is restored" in p.detail for p in signature.problems if p.code is Code.SCRIPT_LINE_ENDS)
    tampered = read(signed().replace("hello", "hullo").replace("\r\n", "\n"))
    assert not any("valid if CRLF is restored" in p.detail for p in tampered.signatures[0].problems)


def test_a_block_with_lf_line_ends_does_not_count_even_where_its_digest_is_right() -> None:
    text = "one line"
    facts = read(signed(text=text).replace("\r\n", "\n"))
    assert facts.signatures[0].digest_matches is True
    assert not facts.signatures[0].valid


def test_text_behind_a_powershell_block_spoils_it() -> None:
    facts = read(signed() + "Remove-Item C:\\ -Recurse\r\n")
    assert facts.signatures[0].digest_matches is True
    assert not facts.signatures[0].valid
    assert Code.SCRIPT_TEXT_AFTER_BLOCK in codes(facts.problems)
    assert read(signed() + "\r\n\r\n").signatures[0].valid


def test_text_behind_a_script_hosts_block_is_signed_and_its_position_leaves_a_gap() -> None:
    facts = read(signed("wsf", "<job>\r\n", "</job>\r\n"), "a.wsf")
    assert facts.signatures[0].valid
    assert facts.gap(FactName.SIGNATURES)
    assert not read(signed("wsf", "<job>\r\n", "</job>\r\n") + " ", "a.wsf").signatures[0].valid


def test_a_block_moved_within_a_script_hosts_file_is_no_signature_for_sure() -> None:
    octets = scripts.signature("js", "one();\r\ntwo();\r\n", signer=publisher())
    facts = read("one();\r\n" + scripts.block("js", octets) + "two();\r\n", "a.js")
    assert facts.gap(FactName.SIGNATURES) or not facts.signatures[0].valid


@pytest.mark.parametrize("before", ["    ", "'", "x = '"])
def test_marker_words_that_are_no_line_of_their_own_are_no_signature(before: str) -> None:
    text = signed().replace("# SIG # Begin", before + "# SIG # Begin")
    facts = read(text)
    assert facts.signatures == ()
    assert Code.SCRIPT_MARKER_INNER in codes(facts.problems)


def test_marker_words_in_the_text_of_a_signed_script_leave_a_gap() -> None:
    facts = read(signed(text="$words = '# SIG # Begin signature block'\r\n"))
    assert facts.signatures[0].valid
    assert facts.gap(FactName.SIGNATURES)


def test_two_blocks_make_no_signature() -> None:
    facts = read(signed() + signed(text="x").removeprefix("x"))
    assert not any(one.valid for one in facts.signatures)
    assert Code.SCRIPT_BLOCKS_SEVERAL in codes(facts.problems)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("# SIG # End signature block\r\n", ""),
        lambda text: text.replace("# M", "# !", 1),
        lambda text: text.replace("\r\n# M", "\r\n M", 1),
        lambda text: text.replace("block\r\n# M", "block\r\nrun\r\n# M", 1),
    ],
    ids=["no end", "no base64", "no prefix", "a line that is no comment"],
)
def test_a_damaged_block_is_a_signature_that_does_not_hold(spoil: object) -> None:
    facts = read(spoil(signed()))  # type: ignore[operator]
    assert [one.valid for one in facts.signatures] == [False]
    assert Code.SCRIPT_BLOCK_MALFORMED in codes(facts.problems)


def test_the_first_line_can_be_the_block() -> None:
    octets = scripts.signature("ps1", "", signer=publisher())
    assert read(scripts.block("ps1", octets).removeprefix("\r\n")).signatures[0].valid


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.PS1", "powershell"),
        ("dir/a.psm1", "powershell"),
        ("a.psd1", "powershell"),
        ("a.cdxml", "powershell_xml"),
        ("a.vbs", "vbscript"),
        ("a.vbe", "encoded_script"),
        ("a.hta", "hta"),
        ("a.bat", "batch"),
        ("a.cmd", "batch"),
        ("a.py", "python"),
        ("a.ps1 .", "powershell"),
        ("a.ps1.txt", "text"),
        ("ps1", "text"),
        ("a.js", "javascript"),
        (None, "text"),
    ],
)
def test_an_unsigned_text_is_what_its_name_says(name: str | None, format: str) -> None:
    facts = extract(b"just text", ExtractionSettings(), name=name)
    assert facts.format == format
    assert facts.signatures == ()


def test_a_name_does_not_overrule_what_the_bytes_show() -> None:
    assert extract(b"\x7fELF" + bytes(60), ExtractionSettings(), name="a.ps1").format == "elf"


def test_without_a_telling_name_the_block_says_what_a_script_is() -> None:
    assert extract(signed().encode(), ExtractionSettings()).signatures[0].valid
    assert extract(signed("vbs").encode(), ExtractionSettings(), name="a.txt").format == "vbscript"


def test_a_batch_file_with_a_signature_block_stays_a_batch_file() -> None:
    facts = read(signed(), "a.bat")
    assert (facts.format, facts.signatures) == ("batch", ())


@pytest.mark.parametrize("text", ["WScript.Echo(1)", "new ActiveXObject('x')", "\ufeffWScript.Echo(1)"])
def test_javascript_that_names_the_script_hosts_objects_is_for_it(text: str) -> None:
    assert read(text, "a.js").format == "jscript"
    assert read("\ufeff" + text, "a.js", encoding="utf-16-le").format == "jscript"


def test_javascript_for_node_is_not_for_the_script_host() -> None:
    assert read("process.on('SIGINT', stop); // WScripts", "a.js").format == "javascript"
    assert read(signed("js", "one();\r\n"), "a.js").format == "jscript"


def test_an_unsigned_powershell_script_has_the_digest_of_its_whole_text() -> None:
    facts = read(POWERSHELL)
    assert facts.digests is not None
    assert facts.digests.authenticode_sha256 == hashlib.sha256(POWERSHELL.encode("utf-16-le")).hexdigest()
    assert facts.gaps == ()


def test_a_script_beyond_the_limit_has_gaps_and_no_signature() -> None:
    facts = read(signed(), limits=Limits(max_script_bytes=10))
    assert facts.signatures == ()
    assert facts.gap(FactName.SIGNATURES)
    assert all_codes(facts) == set()


def test_scripts_that_can_be_signed_are_those_that_have_a_reader() -> None:
    assert set(BY_FORMAT) == SCRIPTS
