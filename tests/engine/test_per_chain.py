"""What is kept of a chain changes no verdict, and belongs to that chain alone."""

from __future__ import annotations

import gc
import weakref
from itertools import product

import pytest

from csv_gate.engine import compile_policy_set, evaluate
from csv_gate.engine.appcontrol.per_chain import MOST, PerChain
from csv_gate.model.appcontrol import USER_SCENARIO
from csv_gate.model.context import AppControlContext
from csv_gate.records import dataclass
from tests.builders import appcontrol as ac
from tests.builders import facts as f
from tests.engine.generated import Generator


def test_an_answer_is_found_again_by_the_very_chain_and_leaf() -> None:
    kept = PerChain[str]()
    chain = f.chain()
    leaf = chain.certificates[0]
    assert kept.get(chain, leaf) is None
    assert kept.put(chain, leaf, "answer") == "answer"
    assert kept.get(chain, leaf) == "answer"


def test_an_equal_chain_and_another_leaf_are_asked_anew() -> None:
    kept = PerChain[str]()
    chain = f.chain()
    kept.put(chain, chain.certificates[0], "answer")
    assert f.chain() == chain
    assert kept.get(f.chain(), chain.certificates[0]) is None
    assert kept.get(chain, chain.certificates[1]) is None


def test_a_table_is_bounded() -> None:
    kept = PerChain[int]()
    chains = [f.chain() for _ in range(MOST + 1)]
    for number, chain in enumerate(chains):
        kept.put(chain, chain.certificates[0], number)
    assert [kept.get(chain, chain.certificates[0]) for chain in chains] == [None] * MOST + [MOST]


@dataclass(eq=False)
class _Chain:
    """Stands for a chain, whose slots leave no room for a weak reference."""


def test_a_kept_chain_lives_so_that_no_other_gets_its_identity() -> None:
    kept = PerChain[str]()
    chain, leaf = _Chain(), f.certificate()
    kept.put(chain, leaf, "answer")  # type: ignore[arg-type]
    alive = weakref.ref(chain)
    del chain
    gc.collect()
    assert alive() is not None


@pytest.mark.parametrize("kind", ["case", "hosted_case"])
def test_a_set_that_has_judged_others_judges_like_a_fresh_one(kind: str) -> None:
    """Facts of one case under the contexts of others, each twice, so that every chain is met again by another target."""
    generator = Generator(20261124)
    for _ in range(40):
        cases = [getattr(generator, kind)() for _ in range(3)]
        policies = cases[0][1]
        used = compile_policy_set(policies)
        asked = [(facts, context) for (facts, _, _), (_, _, context) in product(cases, cases)] * 2
        for facts, context in asked:
            fresh = compile_policy_set(policies)
            assert evaluate(facts, used, context, target="t") == evaluate(facts, fresh, context, target="t")


def test_a_chain_that_leaves_many_signers_in_question_is_not_kept() -> None:
    """Else chains with unreadable names, which fit every publisher, would fill the memory under a large policy."""
    authority = f.tbs("Contoso CA", "Contoso Root")
    signers = [ac.signer(f"ID_SIGNER_{number}", tbs=authority, publisher=f"Publisher {number}") for number in range(100)]
    compiled = compile_policy_set(ac.policy_set(ac.policy(signers=signers)))
    for name, is_kept in (("Publisher 7", True), ("Publisher \ufffd", False)):
        signature = f.signature(f.certificate(name))
        evaluate(f.facts(signature), compiled, AppControlContext(evaluated_at=f.NOW), target="t")
        index = compiled.bases[0].base.scenarios[USER_SCENARIO].allowed_signers
        assert signature.chain is not None
        assert signature.signer is not None
        assert (index.likely.get(signature.chain, signature.signer) is not None) == is_kept
