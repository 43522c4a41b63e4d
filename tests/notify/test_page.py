"""One page per owner, for what breaks the build and nothing else."""

from __future__ import annotations

from csv_gate.errors import Place
from csv_gate.model.result import Finding, Owner
from csv_gate.model.verdict import Level
from csv_gate.notify.channels import Severity
from csv_gate.notify.circumstances import Circumstances
from csv_gate.notify.page import pages, resolved_pages
from csv_gate.notify.text import lines_of_page
from tests.builders.results import OWNER, artifact, denied, green_run, red_run, result, undecided

MAIN = Circumstances(project="contoso/agent", branch="main", run_url="https://ci.example/run/7")
OTHER = Owner(name="@contoso/drivers")


def test_an_owner_of_many_red_files_gets_one_page() -> None:
    run = result(*(artifact(f"dist/{number:03}.dll", denied(), owner=OWNER) for number in range(40)))
    (page,) = pages(run, MAIN, {})
    assert page.owner == OWNER.name
    assert page.artifacts == 40
    assert [cause.artifacts for cause in page.causes] == [40]
    assert page.causes[0].examples == tuple(f"dist/{number:03}.dll" for number in range(5))


def test_each_owner_gets_a_page_of_their_own_and_the_unowned_share_one() -> None:
    run = result(
        artifact("a.dll", denied(), owner=OWNER),
        artifact("b.dll", denied(), owner=OTHER),
        artifact("c.dll", denied()),
        artifact("d.dll", denied()),
    )
    assert [(page.owner, page.artifacts) for page in pages(run, MAIN, {})] == [
        ("(no owner)", 2),
        ("@contoso/agent", 1),
        ("@contoso/drivers", 1),
    ]


def test_a_green_run_pages_nobody() -> None:
    assert pages(green_run(), MAIN, {}) == ()


def test_audited_denials_and_waived_artifacts_page_nobody() -> None:
    run = result(artifact("audit.dll", denied(audited=True)), artifact("waived.dll", denied(), waived=True))
    assert pages(run, MAIN, {}) == ()


def test_what_is_undecided_pages_as_a_warning_and_what_is_denied_as_an_error() -> None:
    run = result(artifact("a.dll", undecided(), owner=OWNER), artifact("b.dll", denied(), owner=OTHER))
    assert [page.severity for page in pages(run, MAIN, {})] == [Severity.WARNING, Severity.ERROR]


def test_the_configuration_can_say_how_grave_a_check_is() -> None:
    run = result(artifact("a.dll", denied(), owner=OWNER))
    (page,) = pages(run, MAIN, {"CSV201": Severity.CRITICAL})
    assert page.severity is Severity.CRITICAL


def test_the_gravest_cause_stands_first() -> None:
    run = result(artifact("a.dll", undecided(), owner=OWNER), artifact("b.dll", denied(), owner=OWNER))
    (page,) = pages(run, MAIN, {})
    assert [cause.check for cause in page.causes] == ["CSV201", "CSV803"]


def test_the_same_trouble_has_the_same_key_in_the_next_run() -> None:
    first = pages(result(artifact("a.dll", denied(), owner=OWNER)), MAIN, {})
    second = pages(result(artifact("a.dll", denied(), owner=OWNER), artifact("b.dll", denied(), owner=OWNER)), MAIN, {})
    assert first[0].dedup_key == second[0].dedup_key


def test_another_cause_owner_or_branch_has_another_key() -> None:
    base = pages(result(artifact("a.dll", denied(), owner=OWNER)), MAIN, {})[0].dedup_key
    other_cause = pages(result(artifact("a.dll", denied(by_rule=True), owner=OWNER)), MAIN, {})[0].dedup_key
    other_owner = pages(result(artifact("a.dll", denied(), owner=OTHER)), MAIN, {})[0].dedup_key
    other_branch = pages(result(artifact("a.dll", denied(), owner=OWNER)), Circumstances(project="contoso/agent"), {})
    assert len({base, other_cause, other_owner, other_branch[0].dedup_key}) == 4


def test_a_page_is_resolved_when_its_trouble_is_gone_and_only_then() -> None:
    earlier = pages(result(artifact("a.dll", denied(), owner=OWNER), artifact("b.dll", denied(), owner=OTHER)), MAIN, {})
    current = pages(result(artifact("b.dll", denied(), owner=OTHER)), MAIN, {})
    (resolved,) = resolved_pages(earlier, current)
    assert resolved.owner == OWNER.name
    assert resolved.is_resolved
    assert "would run the build again" in resolved.summary


def test_an_error_of_the_run_pages_who_answers_for_it_once() -> None:
    expired = [
        Finding(
            check="CSV910",
            level=Level.ERROR,
            message=f"the waiver {n} expired",
            place=Place(path="w.yaml", line=n),
            owner=OTHER,
        )
        for n in (3, 9)
    ]
    idle = Finding(check="CSV912", level=Level.NOTE, message="excuses nothing", owner=OWNER)
    (page,) = pages(result(findings=(*expired, idle)), MAIN, {})
    assert (page.owner, page.artifacts) == (OTHER.name, 0)
    assert page.summary == "contoso/agent (main): the gate is red: CSV910 A waiver has expired"
    assert lines_of_page(page) == ["CSV910 A waiver has expired", "  the waiver 3 expired", "  - w.yaml:3", "  - w.yaml:9"]


def test_a_page_tells_of_the_owners_artifacts_and_of_the_run_together() -> None:
    unread = Finding(check="CSV801", level=Level.ERROR, message="a folder cannot be read", owner=OWNER)
    (page,) = pages(result(artifact("a.dll", denied(), owner=OWNER), findings=(unread,)), MAIN, {})
    assert page.artifacts == 1
    assert [(cause.check, cause.artifacts) for cause in page.causes] == [("CSV201", 1), ("CSV801", 0)]


def test_pages_of_a_run_are_the_same_every_time() -> None:
    assert pages(red_run(), MAIN, {}) == pages(red_run(), MAIN, {})


def test_everybody_of_a_line_that_names_several_gets_a_page() -> None:
    both = Owner(name="@contoso/agent, dev@contoso.example")
    run = result(artifact("a.dll", denied(), owner=both), artifact("b.dll", denied(), owner=OTHER))
    assert [page.owner for page in pages(run, MAIN, {})] == ["@contoso/agent", "@contoso/drivers", "dev@contoso.example"]


def test_a_name_with_a_comma_in_it_is_one_name() -> None:
    run = result(artifact("a.dll", denied(), owner=Owner(name="Miller, Anna")))
    assert [page.owner for page in pages(run, MAIN, {})] == ["Miller, Anna"]
