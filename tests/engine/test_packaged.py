"""Packaged apps under policies: which rules reach them, and what a package must be for anything to be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from csv_gate.engine import compile_policy_set, evaluate
from csv_gate.model.appcontrol import AppControlPolicy, FileRule, FileRuleKind, Option
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Digests, FactName, Facts, Gap, PackageFacts, SignatureFacts, SignatureScheme
from csv_gate.model.problems import ProblemCode
from csv_gate.model.verdict import Decision, Verdict
from tests.builders import appcontrol as ac
from tests.builders import facts as f

STORE = (*ac.USUAL, Option.ENFORCE_STORE_APPLICATIONS)
FAMILY = "Contoso.App_8wekyb3d8bbwe"
ROOT = f.authority("Contoso Root", issuer_cn="Contoso Root", is_self_issued=True)
TRUSTING = AppControlContext(evaluated_at=f.NOW, machine_roots_sha256=frozenset({ROOT.thumbprint_sha256}))
BY_FAMILY = ac.allow("ID_ALLOW_FAMILY", package=FAMILY, stored=ac.bounds(FileRuleKind.ALLOW, None, None))
CONTOSO = ac.signer(tbs=f.tbs("Contoso CA", "Contoso Root"), publisher="Contoso Ltd")


def own_signature(*, valid: bool = True, scheme: SignatureScheme = SignatureScheme.APPX) -> SignatureFacts:
    problems = () if valid else (ProblemCode.DIGEST_MISMATCH,)
    return replace(f.signature(f.certificate(), f.authority(), ROOT, valid=valid, problems=problems), scheme=scheme)


def package(
    *signatures: SignatureFacts, family: str | None = FAMILY, gaps: Sequence[Gap] = (), sha256: str = f.hex_digest("flat")
) -> Facts:
    return Facts(
        format="appx",
        size=1,
        digests=Digests(sha256=sha256),
        package=PackageFacts(name="Contoso.App", family_name=family),
        signatures=signatures or (own_signature(),),
        gaps=tuple(gaps),
    )


def judged(facts: Facts, *policies: AppControlPolicy, context: AppControlContext = TRUSTING) -> Verdict:
    return evaluate(facts, compile_policy_set(ac.policy_set(*policies)), context, target="t")


def test_a_family_that_is_named_is_allowed() -> None:
    assert judged(package(), ac.policy(BY_FAMILY, options=STORE)).decision is Decision.ALLOWED


def test_a_family_that_nobody_names_is_not_deployed() -> None:
    verdict = judged(package(family="Other_1"), ac.policy(BY_FAMILY, signers=[CONTOSO], options=STORE))
    assert verdict.decision is Decision.DENIED  # the signer would allow it, but where families are ruled, they alone judge
    assert verdict.predicted_event == 8040


def test_a_denial_that_is_only_logged_is_event_8039() -> None:
    verdict = judged(package(family="Other_1"), ac.policy(BY_FAMILY, options=(*STORE, Option.AUDIT_MODE)))
    assert (verdict.audited, verdict.predicted_event) == (True, 8039)


def test_a_denied_family_is_denied_whoever_signed_it() -> None:
    deny = ac.deny("ID_DENY_FAMILY", package=FAMILY, stored=ac.bounds(FileRuleKind.DENY, None, None))
    verdict = judged(package(), ac.policy(deny, signers=[CONTOSO], options=STORE))
    assert verdict.decision is not Decision.ALLOWED


def test_without_rules_for_families_the_signer_of_the_package_counts() -> None:
    assert judged(package(), ac.policy(signers=[CONTOSO], options=STORE)).decision is Decision.ALLOWED


def test_the_root_of_the_signer_must_be_trusted_by_the_machine() -> None:
    verdict = judged(package(), ac.policy(signers=[CONTOSO], options=STORE), context=AppControlContext(evaluated_at=f.NOW))
    assert verdict.decision is Decision.UNDECIDED


def test_a_family_is_allowed_only_to_a_signer_whose_root_the_machine_trusts() -> None:
    """Anybody can make a certificate with the publisher's name and sign a package of that family with it."""
    verdict = judged(package(), ac.policy(BY_FAMILY, options=STORE), context=AppControlContext(evaluated_at=f.NOW))
    assert verdict.decision is Decision.UNDECIDED
    assert "trust" in verdict.because


def test_a_family_is_allowed_to_no_signer_who_is_revoked() -> None:
    revoked = replace(TRUSTING, revoked_sha256=frozenset({f.certificate().thumbprint_sha256}))
    verdict = judged(package(), ac.policy(BY_FAMILY, options=STORE), context=revoked)
    assert verdict.decision is Decision.UNDECIDED
    assert "revoked" in verdict.because


def test_a_policy_without_option_12_does_not_reach_packages() -> None:
    assert judged(package(family="Other_1"), ac.policy(BY_FAMILY)).decision is Decision.NOT_APPLICABLE
    both = judged(package(family="Other_1"), ac.policy(BY_FAMILY), ac.policy(BY_FAMILY, options=STORE, number=2))
    assert both.decision is Decision.DENIED


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (package(own_signature(valid=False)), "does not hold"),
        (package(own_signature(scheme=SignatureScheme.AUTHENTICODE)), "not signed"),
        (package(family=None), "family name"),
        (package(gaps=[Gap(what=FactName.SIGNATURES, why="cut short")]), "cut short"),
    ],
)
def test_what_is_not_known_of_a_package_leaves_it_undecided(facts: Facts, word: str) -> None:
    verdict = judged(facts, ac.policy(BY_FAMILY, signers=[CONTOSO], options=STORE))
    assert verdict.decision is Decision.UNDECIDED
    assert word in verdict.because


@pytest.mark.parametrize("rule", [ac.allow(file_name="*"), ac.allow(hash=f.hex_digest("flat"))])
def test_rules_for_files_allow_no_package_for_sure(rule: FileRule) -> None:
    assert judged(package(), ac.policy(rule, options=STORE)).decision is Decision.UNDECIDED


def test_a_signature_of_a_package_allows_no_program() -> None:
    image = replace(f.facts(own_signature()), package=None)
    assert judged(image, ac.policy(signers=[CONTOSO])).decision is Decision.DENIED
