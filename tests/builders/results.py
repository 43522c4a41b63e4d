"""Results for tests of reporters: one keyword per property, everything else ordinary and fixed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from csv_gate.errors import ExitCode, Place
from csv_gate.model.facts import (
    Artifact,
    CertificateFacts,
    ChainEnd,
    ChainFacts,
    Digests,
    FactName,
    Facts,
    Gap,
    PeFacts,
    SignatureFacts,
    SignatureSource,
    TimestampFacts,
    TimestampKind,
    VersionFacts,
)
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.model.result import ArtifactResult, Finding, Owner, PolicyRef, RunInfo, Summary, TargetRef, WaiverRef
from csv_gate.model.verdict import Decision, Level, NearMiss, Outcome, RuleRef, Step, Verdict

NOW = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class BuiltResult:
    """A `RunResult` in memory."""

    run: RunInfo
    targets: tuple[TargetRef, ...]
    artifacts: tuple[ArtifactResult, ...]
    findings: tuple[Finding, ...]
    summary: Summary


def digest(text: str, algorithm: str = "sha256") -> str:
    return hashlib.new(algorithm, text.encode("utf-8", "surrogatepass")).hexdigest()


def certificate(
    name: str = "Contoso Ltd", issuer: str = "Contoso Build CA 2", *, eku: tuple[str, ...] | None = ("1.3.6.1.5.5.7.3.3",)
) -> CertificateFacts:
    return CertificateFacts(
        subject=f"CN={name},O=Contoso,C=US",
        subject_cn=name,
        issuer=f"CN={issuer},O=Contoso,C=US",
        issuer_cn=issuer,
        serial=digest(name)[:16],
        thumbprint_sha1=digest(name, "sha1"),
        thumbprint_sha256=digest(name),
        not_before=datetime(2024, 1, 1, tzinfo=UTC),
        not_after=datetime(2027, 1, 1, tzinfo=UTC),
        eku=eku,
        tbs={"sha1": digest("tbs" + name, "sha1"), "sha256": digest("tbs" + name)},
        tbs_algorithm="sha256",
        signature_algorithm="sha256_rsa",
        key_algorithm="rsa",
        key_bits=3072,
        key_usage_digital_signature=True,
        is_ca=False,
        is_self_issued=name == issuer,
    )


def chain(*names: str, end: ChainEnd = ChainEnd.KNOWN_ROOT, well_known: str | None = "06") -> ChainFacts:
    """A chain of these common names, leaf first; the last is signed by itself where the end says so."""
    issuers = (*names[1:], names[-1] if end is ChainEnd.SELF_SIGNED else "Contoso Root")
    certificates = tuple(certificate(name, issuer) for name, issuer in zip(names, issuers, strict=True))
    tbs = {"sha256": digest("root")} if end is ChainEnd.KNOWN_ROOT else {}
    return ChainFacts(certificates=certificates, end=end, well_known_root=well_known, root_tbs=tbs)


def signature(
    *,
    valid: bool = True,
    signer: str = "Contoso Ltd",
    source: SignatureSource = SignatureSource.EMBEDDED,
    place: str = "0",
    problems: tuple[Problem, ...] = (),
    timestamp: bool = True,
    program_name: str | None = None,
) -> SignatureFacts:
    built = chain(signer, "Contoso Build CA 2")
    stamp_chain = chain("Contoso Time 1", "Contoso Time CA", end=ChainEnd.INCOMPLETE, well_known=None)
    stamp = TimestampFacts(
        kind=TimestampKind.RFC3161,
        time=datetime(2025, 6, 1, 12, tzinfo=UTC),
        valid=True,
        signer=stamp_chain.certificates[0],
        chain=stamp_chain,
        digest_algorithm="sha256",
    )
    return SignatureFacts(
        source=source,
        place=place,
        digest_algorithm="sha256",
        signed_digest=digest("signed"),
        digest_matches=valid,
        valid=valid,
        problems=problems
        or (
            ()
            if valid
            else (Problem(code=ProblemCode.DIGEST_MISMATCH, detail="the digest of the file is another", offset=512),)
        ),
        program_name=program_name,
        signer=built.certificates[0],
        chain=built,
        timestamp=stamp if timestamp else None,
        catalog_sha256=digest(place) if source is SignatureSource.CATALOG else None,
    )


def facts(
    name: str = "a.dll",
    *,
    signatures: tuple[SignatureFacts, ...] = (),
    product: str | None = "Contoso Agent",
    driver: bool = False,
    gaps: tuple[Gap, ...] = (),
    problems: tuple[Problem, ...] = (),
) -> Facts:
    if any(gap.what is FactName.CONTENT for gap in gaps):
        return Facts(format="unknown", size=0, digests=None, gaps=gaps)
    flat = digest(name)
    return Facts(
        format="pe",
        size=20_480,
        digests=Digests(
            sha256=flat,
            authenticode_sha1=digest("auth" + name, "sha1"),
            authenticode_sha256=digest("auth" + name),
            page_sha1=digest("page" + name, "sha1"),
            page_sha256=digest("page" + name),
        ),
        pe=PeFacts(
            machine="x64",
            is_dll=not driver,
            is_driver=driver,
            is_dotnet=False,
            is_efi=False,
            subsystem="native" if driver else "windows_gui",
            imports_kernel=driver,
        ),
        version=VersionFacts(original_filename=name.rsplit("/", 1)[-1], product_name=product, file_version=(1, 2, 3, 4)),
        signatures=signatures,
        problems=problems,
        gaps=gaps,
    )


def rule(
    id: str = "ID_SIGNER_S_4", *, kind: str = "allowed_signer", name: str | None = "Contoso Root", line: int | None = 41
) -> RuleRef:
    return RuleRef(
        policy="Prod Windows",
        policy_id="{8B1A2C3D-0000-4000-8000-1234567890AB}",
        id=id,
        kind=kind,
        name=name,
        place=Place(path="policies/prod.xml", line=line) if line else None,
    )


def allowed(target: str = "prod") -> Verdict:
    step = Step(policy="Prod Windows", rule=rule(), outcome=Outcome.ALLOWS, because="the chain holds the rule's TBS digest")
    return Verdict(
        target=target,
        decision=Decision.ALLOWED,
        rule=rule(),
        trace=(step,),
        because="signer rule ID_SIGNER_S_4 of Prod Windows allows it",
    )


def denied(target: str = "prod", *, audited: bool = False, near: bool = True, by_rule: bool = False) -> Verdict:
    deny = rule("ID_DENY_D_7", kind="deny", name="old helper", line=77)
    no_match = Step(
        policy="Prod Windows",
        rule=rule(),
        outcome=Outcome.NO_MATCH,
        because="ProductName is 'Contoso Agent', the rule wants 'Contoso'",
    )
    denies = Step(policy="Prod Windows", rule=deny, outcome=Outcome.DENIES, because="OriginalFilename matches")
    miss = NearMiss(
        rule=rule(), matched=("signer", "publisher"), differs="ProductName is 'Contoso Agent', the rule wants 'Contoso'"
    )
    return Verdict(
        target=target,
        decision=Decision.DENIED,
        audited=audited,
        checks=("CSV202",) if by_rule else ("CSV201",),
        rule=deny if by_rule else None,
        trace=(denies,) if by_rule else (no_match,),
        nearest=(miss,) if near and not by_rule else (),
        because="deny rule ID_DENY_D_7 matches" if by_rule else "no rule of Prod Windows allows it",
        help="sign it with the release certificate, or add a rule for it to a supplemental policy",
        predicted_event=3076 if audited else 3077,
    )


def undecided(target: str = "prod") -> Verdict:
    return Verdict(
        target=target,
        decision=Decision.UNDECIDED,
        checks=("CSV803",),
        trace=(Step(policy="Prod Windows", rule=None, outcome=Outcome.UNKNOWN, because="a path rule might allow it"),),
        missing=("install_path: where the file stands on the target",),
        because="a FilePath rule might allow it, and its install path was not told",
        help="name the install path of the folder in the config",
    )


def not_applicable(target: str = "prod") -> Verdict:
    return Verdict(target=target, decision=Decision.NOT_APPLICABLE, because="user mode, and no policy has UMCI")


def findings_of(verdict: Verdict) -> tuple[Finding, ...]:
    """The finding that the gate makes of a verdict's first check."""
    if not verdict.checks:
        return ()
    level = Level.WARNING if verdict.audited else Level.ERROR
    finding = Finding(
        check=verdict.checks[0], level=level, message=verdict.because, target=verdict.target, help=verdict.help,
        place=verdict.rule.place if verdict.rule else None,
    )  # fmt: skip
    return (finding,)


def artifact(
    path: str,
    *verdicts: Verdict,
    about: Facts | None = None,
    findings: tuple[Finding, ...] = (),
    owner: Owner | None = None,
    waived: bool = False,
) -> ArtifactResult:
    waiver = WaiverRef(
        id="W-7",
        reason="replaced in April",
        owner="@contoso/agent",
        expires=date(2026, 4, 30),
        place=Place(path="waivers.yaml", line=3),
    )
    told = tuple(finding for verdict in verdicts for finding in findings_of(verdict))
    return ArtifactResult(
        artifact=Artifact(path=path, facts=about or facts(path, signatures=(signature(),))),
        verdicts=verdicts,
        findings=(*told, *findings),
        owner=owner,
        waiver=waiver if waived else None,
    )


OWNER = Owner(name="@contoso/agent", contact="agent@contoso.example", source="CODEOWNERS:41")


def target(name: str = "prod", *, mode: str = "enforce") -> TargetRef:
    policy = PolicyRef(
        path="policies/prod.xml",
        id="{8B1A2C3D-0000-4000-8000-1234567890AB}",
        name="Prod Windows",
        version="10.0.5.0",
        kind="base",
        sha256=digest("prod.xml"),
    )
    return TargetRef(name=name, engine="appcontrol", policies=(policy,), mode=mode)


def summarise(artifacts: Iterable[ArtifactResult], findings: Sequence[Finding]) -> Summary:
    """Counts as the gate makes them: each artifact once, by its gravest verdict."""
    counts: Counter[str] = Counter()
    levels: Counter[Level] = Counter(finding.level for finding in findings)
    for one in artifacts:
        decisions = {verdict.decision for verdict in one.verdicts}
        levels.update(finding.level for finding in one.findings)
        counts["artifacts"] += 1
        if one.waiver:
            counts["waived"] += 1
        elif Decision.DENIED in decisions:
            counts["denied"] += 1
            counts["audited"] += all(verdict.audited for verdict in one.verdicts if verdict.decision is Decision.DENIED)
        elif Decision.UNDECIDED in decisions:
            counts["undecided"] += 1
        elif Decision.ALLOWED in decisions:
            counts["allowed"] += 1
        else:
            counts["not_applicable"] += 1
    failing = (
        ExitCode.FINDINGS
        if counts["denied"] > counts["audited"]
        else ExitCode.UNDECIDED
        if counts["undecided"]
        else ExitCode.OK
    )
    return Summary(**counts, findings=dict(levels), exit_code=failing)


def result(
    *artifacts: ArtifactResult,
    targets: tuple[TargetRef, ...] = (),
    findings: tuple[Finding, ...] = (),
    excluded: int = 0,
) -> BuiltResult:
    counted = summarise(artifacts, findings)
    named = {verdict.target for one in artifacts for verdict in one.verdicts} or {"prod"}
    return BuiltResult(
        run=RunInfo(evaluated_at=NOW, inputs=("dist",), config_sha256=None, tool_version="1.0.0"),
        targets=targets or tuple(target(name) for name in sorted(named)),
        artifacts=tuple(sorted(artifacts, key=lambda one: one.artifact.path)),
        findings=findings,
        summary=counted,
    )


UNREADABLE = Gap(what=FactName.CONTENT, why="permission denied")


def red_run() -> BuiltResult:
    """A run with one of everything."""
    mismatch = Finding(check="CSV101", level=Level.WARNING, message="the file is not what was signed (signature 0)")
    stale = Finding(
        check="CSV901",
        level=Level.WARNING,
        message="the exclude pattern 'dist/old/**' matches nothing",
        place=Place(path="csv-gate.yaml", line=12, column=5),
        help="take it out, or mend it",
    )
    return result(
        artifact("dist/agent/helper.dll", denied(), owner=OWNER),
        artifact("dist/agent/core.dll", allowed(), about=facts("core.dll", signatures=(signature(), signature(place="0.1")))),
        artifact("dist/agent/old.dll", denied(by_rule=True), owner=OWNER, about=facts("old.dll")),
        artifact("dist/agent/waived.dll", denied(near=False), waived=True),
        artifact(
            "dist/broken.dll", denied(), about=facts("broken.dll", signatures=(signature(valid=False),)), findings=(mismatch,)
        ),
        artifact(
            "dist/drv/filter.sys",
            undecided("drivers"),
            allowed(),
            about=facts("filter.sys", driver=True, signatures=(signature(),)),
        ),
        artifact("dist/locked.dll", undecided(), about=facts("locked.dll", gaps=(UNREADABLE,))),
        artifact("dist/script.dll", not_applicable()),
        artifact("dist/trial.dll", denied("pilot", audited=True)),
        targets=(target("drivers"), target("pilot", mode="audit"), target("prod")),
        findings=(stale,),
    )


def green_run() -> BuiltResult:
    return result(*(artifact(f"dist/{name}.dll", allowed()) for name in "abc"))
