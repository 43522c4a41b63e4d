from __future__ import annotations

from csv_gate.model.appcontrol import PolicyKind
from csv_gate.policies import join_policies
from tests.builders.policy import BASE_ID, OTHER_ID, policy

THIRD_ID = "{33333333-2222-3333-4444-555555555555}"


def test_a_supplemental_joins_the_base_it_names() -> None:
    first = policy(sha256="a")
    other = policy(sha256="b", policy_id=OTHER_ID)
    extra = policy(sha256="c", policy_id=THIRD_ID, base_policy_id=OTHER_ID, kind=PolicyKind.SUPPLEMENTAL)
    joined = join_policies([extra, first, other])
    assert [(entry.base, entry.supplementals) for entry in joined.bases] == [(first, ()), (other, (extra,))]
    assert joined.orphans == ()
    assert joined.uncertainties == ()


def test_a_supplemental_without_its_base_is_an_orphan() -> None:
    extra = policy(policy_id=THIRD_ID, base_policy_id=OTHER_ID, kind=PolicyKind.SUPPLEMENTAL)
    joined = join_policies([extra])
    assert joined.bases == ()
    assert joined.orphans == (extra,)


def test_a_tagging_policy_stands_apart_and_is_no_base_for_anyone() -> None:
    tagging = policy(sha256="a", kind=PolicyKind.APPID_TAGGING)
    extra = policy(sha256="b", policy_id=THIRD_ID, base_policy_id=BASE_ID, kind=PolicyKind.SUPPLEMENTAL)
    joined = join_policies([tagging, extra])
    assert joined.tagging == (tagging,)
    assert joined.orphans == (extra,)


def test_the_same_file_twice_counts_once() -> None:
    joined = join_policies([policy(sha256="a", path="one"), policy(sha256="a", path="two")])
    assert [entry.base.path for entry in joined.bases] == ["one"]
    assert joined.uncertainties == ()


def test_two_policies_with_one_id_are_uncertain_and_both_kept() -> None:
    joined = join_policies([policy(sha256="a", path="one"), policy(sha256="b", path="two")])
    assert len(joined.bases) == 2
    assert "2 policies have the id" in joined.uncertainties[0]
    assert "one, two" in joined.uncertainties[0]


def test_a_base_that_names_another_base_is_uncertain() -> None:
    joined = join_policies([policy(policy_id=OTHER_ID, base_policy_id=BASE_ID)])
    assert "says it is a base" in joined.uncertainties[0]


def test_a_supplemental_of_itself_is_uncertain_and_adds_nothing() -> None:
    joined = join_policies([policy(kind=PolicyKind.SUPPLEMENTAL)])
    assert "supplemental of itself" in joined.uncertainties[0]
    assert len(joined.orphans) == 1


def test_all_policies_are_still_there_after_joining() -> None:
    given = [
        policy(sha256="a"),
        policy(sha256="b", policy_id=OTHER_ID, base_policy_id=BASE_ID, kind=PolicyKind.SUPPLEMENTAL),
        policy(sha256="c", policy_id=THIRD_ID, kind=PolicyKind.APPID_TAGGING),
    ]
    assert list(join_policies(given).policies) == given


def test_option_bits_that_nobody_has_published_are_uncertain() -> None:
    joined = join_policies([policy(unknown_option_bits=1 << 12)])
    assert "0x00001000" in joined.uncertainties[0]
