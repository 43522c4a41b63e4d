"""Results in which every string that an artifact, a policy or a config can bring along is hostile."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import strategies as st

from csv_gate.errors import Place
from csv_gate.model.facts import Artifact, FactName, Gap, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.model.result import ArtifactResult, Finding, Owner, WaiverRef
from csv_gate.model.verdict import Decision, Level, NearMiss, Outcome, RuleRef, Step, Verdict
from tests.builders.results import BuiltResult, facts, result, signature, target

NAMES = (
    "::error::x",
    "  ::set-output name=a::b",
    "##vso[task.complete result=Succeeded;]done",
    "x##VSO[task.setvariable variable=PATH]y",
    "###[command]rm",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "<img src=x onerror=alert(1)>",
    "a\n::error::second line\r\n##vso[task.complete]",
    "\x1b[2J\x1b]8;;http://evil\x07link\x1b]8;;\x07",
    "\x9b31mred\x85next\u2028line\u2029end",
    "\u202egpj.exe\u2066\u2069\u200b\ufeff\u061c",
    "x" * 4_000,
    "word " * 900,
    "bad\udcff\udc80utf8",
    "\ud800lone",
    "\x00nul\x0b\x0c",
    "]]>&amp;<![CDATA[",
    "`code` | cell | [link](http://evil) @team #12 **b**",
    "[[ATTACHMENT|/etc/passwd]]",
    "100%0A::error::%25,a:b;c]d",
    "{0} {{1}} [text](1)",
    "\U000e0041\U0001f600",
    "javascript:alert(1)",
    "%style% %headline%",
    " ",
    "-->",
)

texts = st.one_of(
    st.sampled_from(NAMES),
    st.text(alphabet=st.characters(codec=None), min_size=1, max_size=60),
    st.lists(st.sampled_from((*NAMES[:12], "#", "##", "[", "vso[", "::", "<", "\n", "%", "\\")), min_size=2, max_size=4).map(
        "".join
    ),
)


def hostile(text: str, *, waived: bool = False) -> BuiltResult:
    """A run in which `text` is the name of everything."""
    rule = RuleRef(policy=text, policy_id=text, id=text, kind=text, name=text, place=Place(path=text, line=7))
    step = Step(policy=text, rule=rule, outcome=Outcome.NO_MATCH, because=text)
    denied = Verdict(
        target=text,
        decision=Decision.DENIED,
        checks=("CSV201",),
        rule=rule,
        trace=(step,),
        nearest=(NearMiss(rule=rule, matched=(text,), differs=text),),
        missing=(text,),
        because=text,
        help=text,
    )
    undecided = replace(denied, decision=Decision.UNDECIDED, target="other")
    problem = Problem(code=ProblemCode.PE_OVERLAY, detail=text, offset=1)
    signatures = (
        signature(valid=False, signer=text, problems=(problem,), program_name=text),
        signature(source=SignatureSource.CATALOG, place=text, signer=text),
    )
    about = facts(text, signatures=signatures, product=text, problems=(problem,), gaps=(Gap(what=FactName.VERSION, why=text),))
    findings = (
        Finding(check="CSV201", level=Level.ERROR, message=text, target=text, help=text),
        Finding(check="CSV101", level=Level.WARNING, message=text, place=Place(path=text, line=3, column=2), help=text),
        Finding(check="CSV106", level=Level.NOTE, message=text),
    )
    waiver = WaiverRef(id=text, reason=text, owner=text, expires=date(2027, 1, 1), place=Place(path=text))
    artifact = ArtifactResult(
        artifact=Artifact(path=text, facts=about),
        verdicts=(denied, undecided),
        findings=findings,
        owner=Owner(name=text, contact=text, source=text),
        waiver=waiver if waived else None,
    )
    named = replace(target(text), policies=(replace(target().policies[0], path=text, name=text, id=text, version=text),))
    run_finding = Finding(
        check="CSV901", level=Level.ERROR, message=text, target=text, place=Place(path=text, line=1), help=text
    )
    built = result(artifact, targets=(named, target("other")), findings=(run_finding,))
    return replace(built, run=replace(built.run, inputs=(text,)))
