"""The kinds of target, by the name that the config gives them: which formats each judges, and how its policies are made ready."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from csv_gate.engine import compile_policy_set, evaluate
from csv_gate.gate.plan import Target
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Facts
from csv_gate.model.verdict import Decision, Verdict
from csv_gate.records import replace

if TYPE_CHECKING:
    from csv_gate.model.split_facts import SplitFacts

SHA256_BYTES = 32

JUDGED_FORMATS: dict[str, frozenset[str]] = {
    "appcontrol": frozenset(
        {
            "pe",
            "powershell",
            "powershell_xml",
            "vbscript",
            "jscript",
            "wsf",
            "encoded_script",
            "hta",
            "msi",
            "msp",
            "mst",
            "appx",
        }
    )
}
"""Engine name -> formats, as `csv_gate.formats.identification` names them. A file of another format is seen and left: what no host
controls (batch files, Python, shell scripts) must not make a run that checks nothing look like one that checked something."""


def wanted_formats(targets: Iterable[Target]) -> frozenset[str]:
    """The formats that some target judges."""
    return frozenset[str]().union(*(JUDGED_FORMATS[target.engine] for target in targets))


class Evaluate(Protocol):
    """A target made ready: facts and context to a verdict."""

    def __call__(self, facts: Facts, context: AppControlContext) -> Verdict: ...

    def is_shared(self, verdict: Verdict, facts: SplitFacts) -> bool:
        """Whether the verdict holds for each file of the same shape, in the same context, of which the target `lists_none_of`."""
        ...

    def lists_none_of(self, facts: SplitFacts) -> bool:
        """Whether no rule can ask for an own value of the file; False in doubt."""
        ...


def compares_sha1(target: Target) -> bool:
    """Whether a rule of the target may be compared with a SHA-1 digest: in doubt, yes."""
    hashes = [rule.hash for policy in target.policies.policies for rule in policy.file_rules.values()]
    return any(value is not None and len(value) != SHA256_BYTES for value in hashes)


def prepare(target: Target) -> Evaluate:
    """Compile a target's policies, once in each process."""
    return _PREPARE[target.engine](target)


class _AppControl:
    def __init__(self, target: Target) -> None:
        self._name = target.name
        self._policies = compile_policy_set(target.policies)
        self.is_shared = self._policies.alike.is_shared
        self.lists_none_of = self._policies.alike.lists_none_of

    def __call__(self, facts: Facts, context: AppControlContext) -> Verdict:
        verdict = evaluate(facts, self._policies, context, target=self._name)
        if verdict.decision is not Decision.DENIED:
            return verdict
        from csv_gate.suggesting import mending_rule  # of a build that may run, nothing needs mending

        rule = mending_rule(verdict, facts, self._policies, context)
        return verdict if rule is None else replace(verdict, help=f"{verdict.help}; this rule would allow it: {rule}")


_PREPARE: dict[str, Callable[[Target], Evaluate]] = {"appcontrol": _AppControl}
