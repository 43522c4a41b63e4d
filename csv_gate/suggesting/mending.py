"""The one rule that would mend a denial, as XML to look at: a signer where the signature would count, a hash where there is none."""

from __future__ import annotations

from contextlib import suppress

from csv_gate.engine import CompiledPolicySet
from csv_gate.model.appcontrol import FileRule, Signer
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Facts
from csv_gate.model.verdict import Decision, Verdict
from csv_gate.records import replace
from csv_gate.suggesting.levels import Level, Proposal, Unavailable, proposals
from csv_gate.suggesting.names import shown
from csv_gate.suggesting.trying import Trial, unmendable

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})


def mending_rule(verdict: Verdict, facts: Facts, policies: CompiledPolicySet, context: AppControlContext) -> str | None:
    """One line of SiPolicy XML; `None` where the verdict is no denial, or where no single rule would turn it into allowed.

    Tried with the engine before it is told. The text quotes names from the artifact, escaped for XML and for nothing else.
    """
    if verdict.decision is not Decision.DENIED or unmendable(verdict) is not None or not policies.bases:
        return None
    for entry in policies.bases:
        trial = Trial(compiled=policies, base=entry.base.policy, facts=facts, context=context, path="")
        for proposal in _single(trial):
            is_exact = proposal.signer is None or shown(proposal.signer.publisher or "") == (proposal.signer.publisher or "")
            if is_exact and trial.with_proposal(proposal).decision is Decision.ALLOWED:
                return _written(proposal)
    return None


def _single(trial: Trial) -> list[Proposal]:
    """Proposals of one rule each, the better before the worse. No hash of a file that was changed after it was signed is offered."""
    found: list[Proposal] = []
    is_broken = any(not signature.valid for signature in trial.facts.signatures)
    for level in (Level.PUBLISHER,) if is_broken else (Level.PUBLISHER, Level.HASH):
        with suppress(Unavailable):
            for proposal in proposals(level, trial.facts, trial.context, trial.path):
                strongest = sorted(proposal.rules, key=lambda rule: -len(rule.hash or b""))
                found += [replace(proposal, rules=(rule,)) for rule in strongest] if strongest else [proposal]
    return found


def _written(proposal: Proposal) -> str:
    if proposal.signer is not None:
        return _signer(proposal.signer)
    (rule,) = proposal.rules
    return _allow(rule)


def _signer(signer: Signer) -> str:
    publisher = f'<CertPublisher Value="{_escaped(signer.publisher)}" />' if signer.publisher is not None else ""
    name = f' Name="{_escaped(signer.name)}"' if signer.name else ""
    return f'<Signer ID="{signer.id}"{name}><CertRoot Type="TBS" Value="{signer.root.text}" />{publisher}</Signer>'


def _allow(rule: FileRule) -> str:
    assert rule.hash is not None
    return f'<Allow ID="{rule.id}" Hash="{rule.hash.hex().upper()}" />'


def _escaped(text: str) -> str:
    return shown(text).translate(_ESCAPES)
