"""A converted policy allows and denies what the original does, or there is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings

from csv_gate.authoring import convert
from csv_gate.authoring.convert import converted, form_of_suffix, policy_digests
from csv_gate.errors import PolicyError
from csv_gate.model.appcontrol import AppControlPolicy, PolicyForm
from csv_gate.policies import load_policy, read_policy, write_xml
from tests.builders.policy import file_rule, policy, scenario
from tests.builders.policy_strategies import policies


@given(policies())
@settings(max_examples=30, deadline=None)
def test_every_policy_converts_to_both_forms_or_is_refused(one: AppControlPolicy) -> None:
    refusals = []
    for form in PolicyForm:
        try:
            data = converted(one, form)
        except PolicyError as error:
            refusals.append(error.title)
        else:
            assert read_policy(data, path="p").form is form
    assert not any("the result would not" in title for title in refusals)


def test_a_result_that_would_not_do_the_same_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = policy(file_rules=[file_rule(file_name="app.exe")], scenarios=[scenario(file_rules=["ID_ALLOW_A_1"])])
    monkeypatch.setattr(convert, "write_xml", lambda _: write_xml(policy()))
    with pytest.raises(PolicyError, match="would not allow and deny the same"):
        converted(listed, PolicyForm.XML)


@pytest.mark.parametrize(
    ("suffix", "form"),
    [(".xml", PolicyForm.XML), (".XML", PolicyForm.XML), (".cip", PolicyForm.BINARY), (".bin", PolicyForm.BINARY)],
)
def test_an_extension_promises_a_form(suffix: str, form: PolicyForm) -> None:
    assert form_of_suffix(suffix) is form


def test_other_extensions_promise_nothing() -> None:
    assert form_of_suffix(".p7b") is None


def test_an_empty_file_has_no_digests() -> None:
    with pytest.raises(PolicyError):
        policy_digests(b"", path="p")


CORPUS = Path(os.environ.get("CSV_GATE_CORPUS", "")) / "appcontrol"


@pytest.mark.skipif("CSV_GATE_CORPUS" not in os.environ, reason="CSV_GATE_CORPUS is not set")
@pytest.mark.parametrize("form", PolicyForm)
def test_every_real_policy_converts(form: PolicyForm) -> None:
    count = 0
    for path in sorted([*CORPUS.rglob("*.xml"), *CORPUS.rglob("*.cip"), *CORPUS.rglob("*.bin")]):
        try:
            found = load_policy(path)
        except PolicyError:
            continue
        assert converted(found, form)
        count += 1
    assert count > 20
