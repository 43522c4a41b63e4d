from __future__ import annotations

from dataclasses import replace

from csv_gate.model.result import Finding
from csv_gate.model.verdict import Level
from csv_gate.report.diagnostics import diagnostics
from tests.builders.results import allowed, artifact, denied, undecided


def test_a_denied_verdict_without_a_finding_is_told_all_the_same() -> None:
    silent = replace(artifact("a.dll", denied()), findings=())
    (told,) = diagnostics(silent)
    assert (told.check, told.level, told.message) == ("CSV201", Level.ERROR, "no rule of Prod Windows allows it")


def test_an_undecided_verdict_without_checks_is_an_error() -> None:
    silent = artifact("a.dll", replace(undecided(), checks=()))
    (told,) = diagnostics(silent)
    assert (told.check, told.level) == ("CSV802", Level.ERROR)


def test_an_allowed_verdict_tells_nothing() -> None:
    assert list(diagnostics(artifact("a.dll", allowed()))) == []


def test_further_findings_of_a_verdict_go_with_it() -> None:
    more = Finding(check="CSV204", level=Level.ERROR, message="the signature is broken", target="prod")
    (told,) = diagnostics(artifact("a.dll", denied(), findings=(more,)))
    assert (told.check, told.also) == ("CSV201", (more,))


def test_the_gravest_comes_first() -> None:
    own = Finding(check="CSV112", level=Level.ERROR, message="a second implementation disagrees")
    told = list(diagnostics(artifact("a.dll", denied(audited=True), findings=(own,))))
    assert [one.check for one in told] == ["CSV112", "CSV201"]


def test_a_waiver_excuses_verdicts_and_not_the_findings_of_the_file() -> None:
    own = Finding(check="CSV101", level=Level.WARNING, message="the file is not what was signed")
    told = {one.check: one.waiver is not None for one in diagnostics(artifact("a.dll", denied(), findings=(own,), waived=True))}
    assert told == {"CSV201": True, "CSV101": False}


def test_the_place_is_the_deciding_rule_else_the_nearest() -> None:
    (by_rule,) = diagnostics(artifact("a.dll", denied(by_rule=True)))
    (near,) = diagnostics(artifact("a.dll", denied()))
    assert (str(by_rule.place), str(near.place)) == ("policies/prod.xml:77", "policies/prod.xml:41")
