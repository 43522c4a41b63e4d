import pytest

from tests.builders.containers import ar_of, deb_of, tar_of
from tests.builders.opened import opened


@pytest.mark.parametrize("compression", ["gz", "xz", "zst"])
def test_the_archives_in_a_package_are_containers_of_their_own(compression: str) -> None:
    found = opened(deb_of({"./usr/lib/a.dll": b"a"}, compression=compression))
    assert (f"data.tar.{compression}!/usr/lib/a.dll", b"a") in found.files
    assert (found.gaps, found.problems) == ({}, {})


def test_a_signature_behind_the_data_is_in_order() -> None:
    assert opened(deb_of({}, extra={"_gpgorigin": b"sig"})).problems == {}


def test_a_second_data_archive_is_told_and_opened() -> None:
    found = opened(deb_of({"a": b"1"}, extra={"data.tar": tar_of({"b": b"2"})}))
    assert ("data.tar!/b", b"2") in found.files
    assert found.problems == {"": ["container-order-wrong"]}


def test_a_damaged_member_header_is_a_gap() -> None:
    data = deb_of({"a": b"1"})
    assert "damaged" in opened(data + b"x" * 60).gaps[""]
    assert "ends within" in opened(data[:-20]).gaps[""]
    assert "no number" in opened(ar_of({"debian-binary": b"2"}).replace(b"1         `", b"x         `")).gaps[""]
