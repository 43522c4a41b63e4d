"""One policy under lint: what refers to what, worked out once, and how its findings are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from csv_gate.authoring.words import Direction, version_range
from csv_gate.errors import Place
from csv_gate.model.appcontrol import (
    VERSION_MAX,
    AppControlPolicy,
    FileRule,
    FileRuleKind,
    PolicyKind,
    Scenario,
    Signer,
    SignerGroup,
    SignerUse,
)
from csv_gate.model.checks import CHECKS
from csv_gate.model.facts import CertificateFacts
from csv_gate.model.result import Finding
from csv_gate.model.verdict import Level
from csv_gate.records import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A policy, and the policies it is looked at together with."""

    policy: AppControlPolicy
    companions: Sequence[AppControlPolicy] = ()
    """All policies of the set, this one among them."""
    earlier: Sequence[AppControlPolicy] = ()
    """Versions that were deployed before, of whatever policy."""
    certificates: Mapping[str, CertificateFacts] = field(default_factory=dict)
    """TBS hash, by the hash of the certificate's own signature, lower-case hex -> a certificate that is at hand."""
    evaluated_at: datetime | None = None
    """When certificates are asked whether they have expired; `None`: they are not asked."""

    @property
    def place(self) -> Place:
        """The policy as a whole."""
        return Place(path=self.policy.path)

    @property
    def is_base(self) -> bool:
        return self.policy.kind is PolicyKind.BASE

    @property
    def is_supplemental(self) -> bool:
        return self.policy.kind is PolicyKind.SUPPLEMENTAL

    @cached_property
    def rules_used(self) -> frozenset[str]:
        """Ids of file rules that something refers to. A signer that nobody uses counts as somebody: it is told of itself."""
        used = {rule for scenario, group in self.groups() if group is not scenario.artifact for rule in group.file_rules}
        used.update(rule for _, group in self.groups() for use in (*group.allowed, *group.denied) for rule in use.exceptions)
        used.update(rule for signer in self.policy.signers.values() for rule in signer.file_attributes)
        used.update(rule.require_hotpatch_id for rule in self.policy.file_rules.values() if rule.require_hotpatch_id)
        return frozenset(used)

    @cached_property
    def signers_used(self) -> frozenset[str]:
        used = {use.signer for _, group in self.groups() for use in (*group.allowed, *group.denied)}
        policy = self.policy
        return frozenset(used.union(policy.update_signers, policy.ci_signers, policy.supplemental_signers))

    def groups(self) -> Iterator[tuple[Scenario, SignerGroup]]:
        """Every signer group of every scenario."""
        for scenario in self.policy.scenarios:
            for group in (scenario.product, scenario.test, scenario.test_signing, scenario.artifact):
                if group is not None:
                    yield scenario, group

    def rules_of(self, scenario: Scenario, kind: FileRuleKind) -> Iterator[FileRule]:
        """File rules of the scenario's product signers."""
        for rule_id in scenario.product.file_rules:
            rule = self.policy.file_rules[rule_id]
            if rule.kind is kind:
                yield rule

    def denies(self) -> Iterator[FileRule]:
        """Deny rules that something refers to, in document order."""
        for rule in self.policy.file_rules.values():
            if rule.kind is FileRuleKind.DENY and rule.id in self.rules_used:
                yield rule

    def uses(self, direction: Direction) -> Iterator[tuple[Scenario, SignerUse, Signer]]:
        """Allowed or denied signers of product signers."""
        for scenario in self.policy.scenarios:
            product = scenario.product
            for use in product.allowed if direction is Direction.ALLOW else product.denied:
                yield scenario, use, self.policy.signers[use.signer]

    def allowed_signers(self) -> Iterator[Signer]:
        """Each signer that a scenario allows, once."""
        yield from {signer.id: signer for _, _, signer in self.uses(Direction.ALLOW)}.values()

    @cached_property
    def denied_attributes(self) -> frozenset[str]:
        """FileAttrib ids under denied signers."""
        return frozenset(rule for _, _, signer in self.uses(Direction.DENY) for rule in signer.file_attributes)


def finding(check: str, message: str, place: Place, *, help: str, level: Level | None = None) -> Finding:
    """A finding at the level of its check unless another one is given. Message and help are raw."""
    return Finding(check=check, level=level or CHECKS[check].level, message=message, place=place, help=help)


def is_everything(rule: FileRule) -> bool:
    """`Allow FileName="*"` without anything that narrows it."""
    only_name = (rule.internal_name, rule.file_description, rule.product_name, rule.package_family_name, rule.file_path)
    return (
        rule.file_name == "*"
        and all(value in (None, "*") for value in only_name)
        and not rule.app_ids
        and rule.require_hotpatch_id is None
        and version_range(rule.versions, Direction.ALLOW) == (0, VERSION_MAX)
    )
