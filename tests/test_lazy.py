"""What is made late is what it would have been."""

from __future__ import annotations

import re

import pytest

from csv_gate.lazy import regex


def test_an_expression_finds_what_a_compiled_one_finds() -> None:
    late = regex(r"(\w+)@(\w+)", re.IGNORECASE)
    found = late.fullmatch("Ann@Example")

    assert found is not None
    assert found.groups() == ("Ann", "Example")
    assert late.sub("_", "to ann@example now") == "to _ now"
    assert late.pattern == r"(\w+)@(\w+)"
    assert regex(rb"\x00+").split(b"a\x00\x00b") == [b"a", b"b"]


def test_an_expression_is_compiled_at_its_first_use_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[tuple[str, int]] = []
    compile_now = re.compile

    def noted(pattern: str, flags: int) -> re.Pattern[str]:
        compiled.append((pattern, flags))
        return compile_now(pattern, flags)

    late = regex("a+")
    monkeypatch.setattr(re, "compile", noted)

    assert not compiled
    assert [late.search(text) is not None for text in ("aa", "b", "ba")] == [True, False, True]
    assert compiled == [("a+", 0)]


def test_what_an_expression_does_not_have_is_an_error() -> None:
    with pytest.raises(AttributeError):
        _ = regex("a").absent  # type: ignore[attr-defined]
    with pytest.raises(re.error):
        regex("(").search("a")
