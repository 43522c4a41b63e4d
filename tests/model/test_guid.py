"""A GUID of a policy is what the standard library's UUID is."""

from __future__ import annotations

import pickle
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csv_gate.model.guid import Guid

TEXT = "a244370e-44c9-4c06-b551-f6016e563076"


@given(st.uuids())
def test_it_is_read_and_written_as_the_standard_library_does(uuid: UUID) -> None:
    guid = Guid.read(str(uuid))
    assert str(guid) == str(uuid)
    assert guid.octets == uuid.bytes_le
    assert Guid.of(uuid.bytes_le) == guid
    assert guid.braced == f"{{{str(uuid).upper()}}}"


@given(st.uuids(), st.text(st.characters(codec="utf-8"), max_size=20))
def test_a_name_within_one_has_the_guid_that_the_standard_library_gives_it(uuid: UUID, name: str) -> None:
    assert str(Guid.read(str(uuid)).naming(name)) == str(uuid5(uuid, name))


@pytest.mark.parametrize("written", [TEXT, TEXT.upper(), f"{{{TEXT}}}", TEXT.replace("-", "")])
def test_all_its_spellings_are_one(written: str) -> None:
    assert Guid.read(written) == Guid.read(TEXT)
    assert len({Guid.read(written), Guid.read(TEXT)}) == 1
    assert pickle.loads(pickle.dumps(Guid.read(written))) == Guid.read(TEXT)


@pytest.mark.parametrize("written", ["", TEXT[:-1], TEXT + "0", TEXT[:-1] + "g", TEXT[:-2] + "_0", TEXT[:-2] + " 0"])
def test_anything_else_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="no GUID"):
        Guid.read(written)
