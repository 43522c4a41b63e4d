from __future__ import annotations

import pytest

from csv_gate.report.paths import relative, uri


@pytest.mark.parametrize(
    ("path", "base", "expected"),
    [
        ("/src/app/a.dll", "/src/app", "a.dll"),
        ("/src/app/a.dll", "/src/app/", "a.dll"),
        ("/src/application/a.dll", "/src/app", "/src/application/a.dll"),
        ("C:\\src\\a.dll", "C:\\src", "a.dll"),
        ("./dist/a.dll", None, "dist/a.dll"),
    ],
)
def test_a_path_is_relative_to_the_base_only_where_it_is_below(path: str, base: str | None, expected: str) -> None:
    assert relative(path, base) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("dist/a b#c?.dll", "dist/a%20b%23c%3F.dll"),
        ("a:b", "a%3Ab"),
        ("/abs/a.dll", "file:///abs/a.dll"),
        ("C:/x/a.dll", "file:///C%3A/x/a.dll"),
        ("ü\udcff.dll", "%C3%BC%FF.dll"),
        ("out/setup.msi!/a.dll", "out/setup.msi!/a.dll"),
    ],
)
def test_an_uri_holds_only_characters_of_uris(path: str, expected: str) -> None:
    assert uri(path, None) == expected
