"""Real packages: our members are those that the standard library gives, a reader that shares nothing with ours."""

import io
import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.builders.opened import opened

CORPUS = Path(os.environ.get("CSV_GATE_CORPUS", "none")) / "signed"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="CSV_GATE_CORPUS names no corpus")
ZIPS = sorted(
    path for path in CORPUS.rglob("*") if path.suffix in (".nupkg", ".vsix", ".jar", ".appx", ".msix", ".appxbundle", ".zip")
)
DEBS = sorted(CORPUS.rglob("*.deb"))
BOMB = "zip-bomb-40MB.nupkg"
WITH_TRAILING = {
    "OpenVsixSignToolTest-InvalidOverrides.vsix",
    "OpenVsixSignToolTest-Overrides.vsix",
    "MsiSetup.msi.wixpack.zip",
}
"""Their end record states a shorter comment than there is."""


@pytest.mark.parametrize("path", ZIPS, ids=lambda path: path.name)
def test_members_of_real_zip_packages(path: Path) -> None:
    found = opened(path.read_bytes(), path.name)
    if path.name == BOMB:
        assert "max_container_ratio" in found.gaps["big.bin"]
        return
    with zipfile.ZipFile(path) as archive:
        expected = {info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}
    inner = {name for name in found.containers if name and "!/" not in name}
    ours = {name: content for name, content in found.files if "!/" not in name}
    assert ours == {name: content for name, content in expected.items() if name not in inner}
    assert inner <= set(expected)
    assert found.gaps == {}
    assert found.problems == ({"": ["container-trailing-data"]} if path.name in WITH_TRAILING else {})


@pytest.mark.parametrize("path", DEBS, ids=lambda path: path.name)
def test_members_of_real_debian_packages(path: Path) -> None:
    found = opened(path.read_bytes(), path.name)
    if "flip" in path.name:
        assert found.gaps
        return
    raw = path.read_bytes()
    at, expected = 8, {}
    while at < len(raw):
        name, size = raw[at : at + 16].decode().strip().rstrip("/"), int(raw[at + 48 : at + 58])
        data, at = raw[at + 60 : at + 60 + size], at + 60 + size + size % 2
        if ".tar" in name:
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                for info in archive:
                    if info.isreg() and (file := archive.extractfile(info)) is not None:
                        expected[f"{name}!/{info.name.removeprefix('./')}"] = file.read()
    inner = set(found.containers)
    # An archive of no members is nothing but zeros, which no reader can tell from a file of zeros.
    ours = {name: content for name, content in found.files if name.count("!/") == 1 and any(content)}
    assert ours == {name: content for name, content in expected.items() if name not in inner and any(content)}
    assert found.gaps == {}


CABS = sorted(CORPUS.rglob("*.cab"))
RPMS = sorted(CORPUS.rglob("*.rpm"))
MSIS = sorted(CORPUS.rglob("*.msi"))


@pytest.mark.skipif(shutil.which("cabextract") is None, reason="cabextract is not installed")
@pytest.mark.parametrize("path", CABS, ids=lambda path: path.name)
def test_members_of_real_cabinets(path: Path, tmp_path: Path) -> None:
    found = opened(path.read_bytes(), path.name)
    done = subprocess.run(["cabextract", "-q", "-d", str(tmp_path), str(path)], capture_output=True, check=False)
    if done.returncode:  # one volume of two, of which it gives what there is
        assert "volumes are not put together" in found.gaps["MORE.exe"]
        return
    theirs = {file.relative_to(tmp_path).as_posix(): file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert dict(found.files) == theirs
    assert found.gaps == {}


@pytest.mark.skipif(shutil.which("msiextract") is None, reason="msitools are not installed")
@pytest.mark.parametrize("path", MSIS, ids=lambda path: path.name)
def test_members_of_real_installer_packages(path: Path, tmp_path: Path) -> None:
    found = opened(path.read_bytes(), path.name)
    subprocess.run(["msiextract", "-C", str(tmp_path), str(path)], capture_output=True, check=False)
    theirs = {file.name: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert {name.rpartition("/")[2]: data for name, data in found.files if ".cab!/" in name} == theirs
    assert found.gaps == {}


@pytest.mark.skipif(shutil.which("bsdtar") is None, reason="bsdtar is not installed")
@pytest.mark.parametrize("path", RPMS, ids=lambda path: path.name)
def test_members_of_real_rpm_packages(path: Path, tmp_path: Path) -> None:
    found = opened(path.read_bytes(), path.name)
    if "flip" in path.name:
        assert "damaged" in found.gaps[""]
        return
    subprocess.run(["bsdtar", "-xf", str(path), "-C", str(tmp_path)], capture_output=True, check=True)
    files = {file for file in tmp_path.rglob("*") if file.is_file() and not file.is_symlink()}
    assert dict(found.files) == {file.relative_to(tmp_path).as_posix(): file.read_bytes() for file in files}
    assert (found.gaps, found.problems) == ({}, {})
