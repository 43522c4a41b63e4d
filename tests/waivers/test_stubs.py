from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csv_gate.errors import ConfigErrors
from csv_gate.globs import Glob
from csv_gate.model.result import Owner
from csv_gate.model.verdict import Decision
from csv_gate.waivers import apply, waivers_from, write_stubs
from csv_gate.waivers.stubs import as_glob
from tests.builders.artifact_results import SHA256, artifact_result, verdict

EXPIRES = date(2026, 7, 1)
DENIED = verdict(Decision.DENIED, "CSV201")
UNREAD = artifact_result(verdict(Decision.UNDECIDED, "CSV801"), path="dist/b[1].dll", sha256=None, owner=Owner(name="@b"))


def test_a_stub_is_refused_until_somebody_gives_a_reason() -> None:
    with pytest.raises(ConfigErrors, match="not empty"):
        waivers_from(write_stubs([artifact_result(DENIED, owner=Owner(name="@a"))], expires=EXPIRES).encode(), "w.yaml")


def test_stubs_with_reasons_waive_exactly_what_they_were_written_for() -> None:
    failing = [artifact_result(DENIED, owner=Owner(name="@a")), UNREAD]
    text = write_stubs([*failing, artifact_result(verdict(Decision.ALLOWED), path="fine.dll")], expires=EXPIRES)
    file = waivers_from(text.replace('reason: ""', "reason: known").encode(), "w.yaml")
    assert len(file.waivers) == 2
    assert all(apply(result, file, EXPIRES).result.waiver is not None for result in failing)
    assert not any(waiver.is_too_broad for waiver in file)
    other = artifact_result(DENIED, path="dist/b1.dll", sha256="cd" * 32)
    assert apply(other, file, EXPIRES).result.waiver is None


def test_one_content_at_two_paths_is_one_entry() -> None:
    text = write_stubs([artifact_result(DENIED, path=path) for path in ("x/a.dll", "y/a.dll")], expires=EXPIRES)
    assert text.count("- id:") == 1
    assert text.count(SHA256) == 1
    assert '# "x/a.dll"\n  # "y/a.dll"' in text


def test_the_same_failures_give_the_same_bytes_in_any_order() -> None:
    results = [artifact_result(DENIED, path=f"d/{name}.dll", sha256=name * 32) for name in ("aa", "bb", "cc")]
    assert write_stubs(results, expires=EXPIRES) == write_stubs(reversed(results), expires=EXPIRES)


def test_nothing_failing_gives_an_empty_file_that_reads() -> None:
    assert waivers_from(write_stubs([], expires=EXPIRES).encode(), "w.yaml").waivers == ()


HOSTILE = st.text(st.characters(exclude_characters="\0/"), min_size=1, max_size=20).filter(lambda name: name not in (".", ".."))


@given(path=st.lists(HOSTILE, min_size=1, max_size=3).map("/".join))
def test_a_hostile_path_stays_inside_its_entry(path: str) -> None:
    result = artifact_result(verdict(Decision.UNDECIDED, "CSV801"), path=path, sha256=None, owner=Owner(name="@a"))
    text = write_stubs([result], expires=EXPIRES).replace('reason: ""', "reason: known")
    file = waivers_from(text.encode("utf-8"), "w.yaml")
    assert [waiver.match.paths[0].matches(path) for waiver in file] == [True]


@given(path=st.lists(HOSTILE, min_size=1, max_size=3).map("/".join))
def test_the_glob_of_a_path_means_the_path(path: str) -> None:
    assert Glob(as_glob(path)).matches(path)
    assert not Glob(as_glob(path)).matches("x" + path)
