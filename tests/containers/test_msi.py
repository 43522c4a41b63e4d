"""Installer packages: cabinets in them, under the names that are installed, and everything else that they run or carry."""

import shutil
import subprocess
from pathlib import Path

import pytest

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model.facts import FactName
from tests.builders import compound
from tests.builders.installer import COLUMNS, FOLDERS, PATCH, TEXT, Installed, msi_of, packed_name, tables_of
from tests.builders.opened import opened
from tests.builders.tree import code

APP = Installed(key="fil1", name="APPLIC~1.DLL|application.dll", content=code())


def names(data: bytes) -> list[str]:
    found = opened(data, "setup.msi")
    assert found.gaps == {}
    return [name for name, _ in found.files]


def test_a_member_of_the_cabinet_has_the_name_that_is_installed() -> None:
    found = opened(msi_of(APP))
    assert found.files == [("Files.cab!/application.dll", APP.content)]
    assert (found.gaps, found.problems) == ({}, {})
    assert found.containers == {"Files.cab": "cab", "": "msi"}


def test_what_is_inside_has_the_facts_of_the_same_file_loose() -> None:
    files = {"app.dll": code("one"), "run.ps1": b"Write-Host 1\r\n", "read.txt": b"words"}
    found = opened(
        msi_of(*(Installed(key=f"k{n}", name=f"X~1|{name}", content=data) for n, (name, data) in enumerate(files.items())))
    )
    assert {path.removeprefix("Files.cab!/"): extract(data, ExtractionSettings(), name=path) for path, data in found.files} == {
        name: extract(data, ExtractionSettings(), name=name) for name, data in files.items()
    }


def test_names_that_are_alike_are_told_apart_by_folder_then_by_key() -> None:
    one = Installed(key="k1", name="read.txt", content=b"1")
    two = Installed(key="k2", name="READ.txt", content=b"2", folder="SubDir")
    three, four = (Installed(key=key, name="twice.txt", content=b"3", folder="Same") for key in ("k3", "k4"))
    assert sorted(names(msi_of(one, two, three, four))) == [
        "Files.cab!/ProgramFilesFolder/Demo Application/read.txt",
        "Files.cab!/ProgramFilesFolder/Demo Application/sub/READ.txt",
        "Files.cab!/k3/twice.txt",
        "Files.cab!/k4/twice.txt",
    ]


def test_the_same_name_in_two_cabinets_is_no_clash() -> None:
    assert names(msi_of(APP, Installed(key="k2", name="application.dll", content=b"2", cabinet="More.cab"))) == [
        "Files.cab!/application.dll",
        "More.cab!/application.dll",
    ]


def test_a_file_that_no_table_names_keeps_its_key() -> None:
    made = tables_of([Installed(key="other", name="x")])
    assert names(msi_of(APP, tables=made)) == ["Files.cab!/fil1"]


@pytest.mark.parametrize(("long_strings", "code_page"), [(True, 1252), (False, 65001), (False, 932), (False, 0), (False, 99)])
def test_strings_of_every_kind(long_strings: bool, code_page: int) -> None:
    name = {65001: "größe-λ.dll", 932: "\u30a2.dll"}.get(code_page, "app.dll")
    files = [Installed(key="k", name=name, content=b"1"), Installed(key="l", name="y.txt", content=b"2")]
    made = tables_of(files, long_strings=long_strings, code_page=code_page if code_page not in (0, 99) else 1252)
    if code_page in (0, 99):
        pool = packed_name("_StringPool", is_table=True)
        made[pool] = code_page.to_bytes(4, "little") + made[pool][4:]
    found = opened(msi_of(*files, tables=made))
    assert found.files[0] == (f"Files.cab!/{name}", b"1")


def test_programs_and_scripts_of_custom_actions_are_members() -> None:
    data = msi_of(APP, streams={"Binary.Action.dll": code("action"), "Binary.run.vbs": b"MsgBox 1", "Icon.x": b"ico"})
    assert set(names(data)) == {"Files.cab!/application.dll", "Binary.Action.dll", "Binary.run.vbs", "Icon.x"}


def test_a_cabinet_that_is_named_and_missing_is_a_gap() -> None:
    found = opened(msi_of(APP, without=["Files.cab"]))
    assert "does not hold it" in found.gaps["Files.cab"]


def test_folders_that_lead_in_a_circle_are_a_gap() -> None:
    folders = {**FOLDERS, "INSTALLDIR": ("SubDir", "in"), "SubDir": ("INSTALLDIR", "circle")}
    assert "circle" in opened(msi_of(APP, tables=tables_of([APP], folders=folders))).gaps[""]


def broken(table: str, value: bytes | None) -> bytes:
    made = {name: data for name, data in tables_of([APP]).items() if (name, value) != (packed_name(table, is_table=True), None)}
    if value is not None:
        made[packed_name(table, is_table=True)] = value
    return msi_of(APP, tables=made)


@pytest.mark.parametrize(
    ("table", "value"),
    [
        ("_StringPool", None),
        ("_StringPool", b"\0" * 3),
        ("_StringData", b""),
        ("_Columns", b""),
        ("File", b"odd"),
        ("Media", b"\7" * 8),
    ],
)
def test_tables_that_contradict_themselves_are_a_gap_of_the_package(table: str, value: bytes | None) -> None:
    assert opened(broken(table, value)).gaps[""]


def test_a_table_without_a_column_that_is_needed_is_a_gap() -> None:
    columns = {**COLUMNS, "File": {"File": TEXT}}
    assert "File table" in opened(msi_of(APP, tables=tables_of([APP], columns=columns))).gaps[""]


def test_patches_and_inner_storages_are_opened_under_the_names_they_have() -> None:
    inner: compound.Tree = {packed_name("Binary.a.dll"): code("inner")}
    data = msi_of(APP, class_id=PATCH, storages={packed_name("Transform"): inner}, tables={})
    assert opened(data).containers[""] == "msp"
    assert set(names(data)) == {"Files.cab!/fil1", "Transform/Binary.a.dll"}


def test_a_package_that_cannot_be_read_is_still_a_package() -> None:
    data = bytearray(msi_of(APP))
    data[76:80] = b"\xff\xff\xff\x7f"  # the allocation table is nowhere
    assert opened(bytes(data)).gaps[""]
    facts = extract(bytes(data), ExtractionSettings())
    assert (facts.format, {gap.what for gap in facts.gaps}) == ("msi", {FactName.AUTHENTICODE, FactName.SIGNATURES})


@pytest.mark.skipif(shutil.which("msiinfo") is None, reason="msitools are not installed")
def test_msiinfo_reads_the_packages_of_these_tests(tmp_path: Path) -> None:
    path = tmp_path / "a.msi"
    path.write_bytes(msi_of(APP, Installed(key="k2", name="b.txt", content=b"2", folder="SubDir")))
    done = subprocess.run(["msiinfo", "export", str(path), "File"], check=True, capture_output=True, text=True)
    assert [row.split("\t")[:3] for row in done.stdout.splitlines()[3:]] == [
        ["fil1", "C_fil1", "APPLIC~1.DLL|application.dll"],
        ["k2", "C_k2", "b.txt"],
    ]
