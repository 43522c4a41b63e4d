"""References by id inside a policy: remembered while reading, resolved when everything is known."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from csv_gate.errors import Place, PolicyError
from csv_gate.model.appcontrol import FileRule, FileRuleKind


class Target(StrEnum):
    """What a reference must point to; the value is how a message names it."""

    RULE = "an Allow or Deny rule"
    ALLOW = "an Allow rule"
    DENY = "a Deny rule"
    ATTRIBUTE = "a FileAttrib rule"
    SIGNER = "a signer"
    EKU = "an EKU"
    ARTIFACT_RULE = "an artifact rule"
    SCENARIO = "a signing scenario"


_KINDS = {
    Target.RULE: (FileRuleKind.ALLOW, FileRuleKind.DENY),
    Target.ALLOW: (FileRuleKind.ALLOW,),
    Target.DENY: (FileRuleKind.DENY,),
    Target.ATTRIBUTE: (FileRuleKind.ATTRIBUTE,),
}


class References:
    """All references of one policy with their lines."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._pending: list[tuple[Target, str, str, int, int]] = []

    def add(self, target: Target, identifier: str, element: str, line: int, column: int) -> str:
        """Remember that `element` refers to `identifier`; returns the identifier."""
        self._pending.append((target, identifier, element, line, column))
        return identifier

    def resolve(self, rules: Mapping[str, FileRule], ids: Mapping[Target, Collection[str]]) -> None:
        """Check every reference.

        Raises:
            PolicyError: one points to nothing, or to a rule of the wrong kind.
        """
        for target, identifier, element, line, column in self._pending:
            kinds = _KINDS.get(target)
            if kinds is None:
                if identifier not in ids[target]:
                    raise self._dangling(target, identifier, element, line, column, ids[target])
                continue
            rule = rules.get(identifier)
            if rule is None:
                raise self._dangling(target, identifier, element, line, column, rules)
            if rule.kind not in kinds:
                raise PolicyError(
                    f"<{element}> refers to a rule of the wrong kind",
                    place=Place(path=self._path, line=line, column=column),
                    got=f"{identifier}, a rule of kind {rule.kind.name.capitalize()} in line {rule.place.line}",
                    expected=str(target),
                    help="refer to a rule of the right kind, or turn the rule into one",
                )

    def _dangling(
        self, target: Target, identifier: str, element: str, line: int, column: int, known: Collection[str]
    ) -> PolicyError:
        from csv_gate.policies.suggestions import did_you_mean

        return PolicyError(
            f"<{element}> refers to something that is not there",
            place=Place(path=self._path, line=line, column=column),
            got=identifier[:120],
            expected=f"the id of {target} of this policy",
            help=did_you_mean(identifier, known) or "add what is missing, or remove the reference",
        )
