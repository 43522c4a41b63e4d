"""Facts and verdicts as short labelled rows for people. The rows are raw: each reporter escapes them for where they go."""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.errors import Place
from csv_gate.model.facts import CertificateFacts, ChainEnd, Facts, KeyFacts, SignatureFacts, SignatureScheme
from csv_gate.model.result import ArtifactResult, Owner
from csv_gate.model.verdict import Decision, RuleRef, Verdict
from csv_gate.records import dataclass
from csv_gate.report.diagnostics import Diagnostic

_WIDE = frozenset({"x64", "arm64", "arm64ec", "arm64x", "ia64", "riscv64", "loongarch64"})
_FORMATS = {
    "pe": "PE",
    "catalog": "security catalog",
    "policy_xml": "policy XML",
    "elf": "ELF",
    "unknown": "unknown format",
    "powershell": "PowerShell script",
    "powershell_xml": "PowerShell XML file",
    "mof": "managed object file",
    "vbscript": "VBScript",
    "jscript": "JScript for Windows Script Host",
    "wsf": "Windows script file",
    "encoded_script": "encoded Windows script",
    "hta": "HTML application",
    "javascript": "JavaScript",
    "batch": "batch file",
    "python": "Python source",
    "msi": "installer package",
    "msp": "installer patch",
    "mst": "installer transform",
    "ole": "compound file",
    "cab": "cabinet",
    "nupkg": "NuGet package",
    "appx": "packaged app",
    "vsix": "VSIX extension",
    "jar": "Java archive",
    "apk": "Android package",
    "rpm": "RPM package",
    "deb": "Debian package",
    "zip": "ZIP archive",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    label: str
    text: str


def short_digest(digest: str) -> str:
    return f"{digest[:8]}…{digest[-4:]}" if len(digest) > 16 else digest


def kind_of_file(facts: Facts) -> str:
    """`PE32+ x64 driver`, `ELF`, …"""
    if facts.pe is None:
        return _FORMATS.get(facts.format, facts.format)
    pe = facts.pe
    kind = "driver" if pe.is_driver else "EFI image" if pe.is_efi else "DLL" if pe.is_dll else "program"
    return " ".join(("PE32+" if pe.machine in _WIDE else "PE32", pe.machine, *((".NET",) if pe.is_dotnet else ()), kind))


def artifact_words(facts: Facts) -> str:
    digest = f", sha256 {short_digest(facts.digests.sha256)}" if facts.digests else ""
    return kind_of_file(facts) + digest


def name_of(cert: CertificateFacts) -> str:
    return cert.subject_cn or cert.subject


def tbs_words(cert: CertificateFacts) -> str:
    """The digest that a signer rule of a policy names."""
    algorithm = cert.tbs_algorithm or "sha256"
    digest = cert.tbs.get(algorithm)
    return f"TBS {algorithm} {short_digest(digest)}" if digest else "TBS unknown"


def key_words(key: KeyFacts) -> str:
    """The signer of a signature without certificates."""
    if not key.is_given:
        return f"key {key.key_id}, which was not given"
    return " · ".join((*key.user_ids[:2], f"key {key.fingerprint or key.key_id}"))


def scheme_words(signature: SignatureFacts) -> str:
    """`embedded`, `embedded nuget, author`, `detached openpgp`."""
    scheme = "" if signature.scheme is SignatureScheme.AUTHENTICODE else f" {signature.scheme.value}"
    return signature.source.value + scheme + (f", {signature.role}" if signature.role else "")


def signature_words(signature: SignatureFacts) -> str:
    """One signature in one line."""
    signer = signature.signer
    parts = [name_of(signer) if signer else key_words(signature.key) if signature.key else "unreadable signer"]
    if signer is not None:
        chain = signature.chain
        issuer = chain.certificates[1] if chain and len(chain.certificates) > 1 else None
        known = f"{name_of(issuer)} ({tbs_words(issuer)})" if issuer else signer.issuer_cn or signer.issuer
        parts.append(f"issued by {known}")
        if chain is not None and (end := end_words(chain.end, chain.well_known_root)):
            parts.append(end)
    state = "valid" if signature.valid else "NOT VALID: " + _why_invalid(signature)
    return " · ".join((*parts, f"{scheme_words(signature)} signature, {state}"))


def end_words(end: ChainEnd, well_known: str | None) -> str:
    number = f" {well_known}" if well_known else ""
    return {
        ChainEnd.KNOWN_ROOT: f"known Microsoft root{number}",
        ChainEnd.GIVEN_ROOT: "root given by the config",
        ChainEnd.SELF_SIGNED: "unknown root",
        ChainEnd.INCOMPLETE: "chain incomplete",
    }[end]


def _why_invalid(signature: SignatureFacts) -> str:
    if signature.digest_matches is False:
        return "the file is not what was signed"
    return signature.problems[0].detail or signature.problems[0].code.value if signature.problems else "unusable"


def signer_rows(facts: Facts, limit: int = 3) -> Iterator[Row]:
    if not facts.signatures:
        if facts.gap() is None and facts.pe is not None:
            yield Row(label="signer", text="none: the file has no signature, and no catalog lists it")
        return
    for signature in facts.signatures[:limit]:
        yield Row(label="signer", text=signature_words(signature))
    if (more := len(facts.signatures) - limit) > 0:
        yield Row(label="signer", text=f"and {more} more signature{'s' * (more > 1)}")


def version_row(facts: Facts) -> Row | None:
    if (version := facts.version) is None:
        return None
    number = ".".join(map(str, version.file_version)) if version.file_version else None
    named = (
        ("OriginalFilename", version.original_filename),
        ("InternalName", version.internal_name),
        ("FileDescription", version.file_description),
        ("ProductName", version.product_name),
        ("FileVersion", number),
    )
    text = " · ".join(f"{name} {value}" for name, value in named if value)
    return Row(label="version", text=text) if text else None


def rule_words(rule: RuleRef) -> str:
    name = f" “{rule.name}”" if rule.name else ""
    return f"{rule.kind.replace('_', ' ')} {rule.id}{name} of {rule.policy}"


def place_words(place: Place | None) -> str:
    return str(place) if place else ""


def rule_row(rule: RuleRef) -> Row:
    where = f" at {rule.place}" if rule.place else ""
    return Row(label="rule", text=rule_words(rule) + where)


def owner_words(owner: Owner) -> str:
    contact = f" <{owner.contact}>" if owner.contact else ""
    return owner.name + contact + (f" ({owner.source})" if owner.source else "")


def decision_words(verdict: Verdict) -> str:
    if verdict.decision is Decision.DENIED and verdict.audited:
        return "denied, but not blocked: the policy is in audit mode and only logs"
    return {
        Decision.ALLOWED: "allowed",
        Decision.DENIED: "denied: the target blocks it",
        Decision.UNDECIDED: "undecided: could be blocked",
        Decision.NOT_APPLICABLE: "not applicable: no policy of the target governs it",
    }[verdict.decision]


def verdict_rows(verdict: Verdict) -> Iterator[Row]:
    yield Row(label="target", text=f"{verdict.target} · {decision_words(verdict)}")
    if verdict.rule is not None:
        yield rule_row(verdict.rule)
    for miss in verdict.nearest[:1]:
        agrees = f"{', '.join(miss.matched)} match{'es' * (len(miss.matched) == 1)}; " if miss.matched else ""
        place = f" at {miss.rule.place}" if miss.rule.place else ""
        yield Row(label="nearest", text=f"{rule_words(miss.rule)}{place}: {agrees}{miss.differs}")
    for missing in verdict.missing:
        yield Row(label="missing", text=missing)
    if verdict.predicted_event is not None:
        yield Row(label="event", text=f"the target would log event {verdict.predicted_event}")


def fact_rows(facts: Facts) -> Iterator[Row]:
    yield from signer_rows(facts)
    if (version := version_row(facts)) is not None:
        yield version
    yield from (Row(label="unknown", text=f"{gap.what.value}: {gap.why}") for gap in facts.gaps)


def rows(result: ArtifactResult, diagnostic: Diagnostic, *, with_facts: bool = True) -> tuple[Row, ...]:
    """The facts that decided, the rule that decided, and who can mend it. Without facts: they were told just before."""
    listed: list[Row] = []
    if diagnostic.verdict is not None and diagnostic.verdict.because and diagnostic.verdict.because != diagnostic.message:
        listed.append(Row(label="because", text=diagnostic.verdict.because))
    if with_facts:
        listed.extend(fact_rows(result.artifact.facts))
    if diagnostic.verdict is not None:
        listed.extend(verdict_rows(diagnostic.verdict))
    elif diagnostic.place is not None:
        listed.append(Row(label="at", text=str(diagnostic.place)))
    listed.extend(Row(label="also", text=f"{other.check}: {other.message}") for other in diagnostic.also)
    if result.owner is not None:
        listed.append(Row(label="owner", text=owner_words(result.owner)))
    if diagnostic.waiver is not None:
        waiver = diagnostic.waiver
        text = f"until {waiver.expires.isoformat()} by {waiver.owner}: {waiver.reason} ({waiver.id})"
        listed.append(Row(label="waived", text=text))
    return tuple(listed)
