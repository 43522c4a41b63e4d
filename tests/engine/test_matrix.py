"""What the engine decides, one sentence per case: facts, policies, expected decision, deciding rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from csv_gate.engine import compile_policy_set, evaluate
from csv_gate.model.appcontrol import (
    KERNEL_SCENARIO,
    USER_SCENARIO,
    VERSION_MAX,
    AppControlPolicySet,
    Option,
    PolicyForm,
    PolicySignature,
    VersionBounds,
)
from csv_gate.model.context import AppControlContext, CodeMode, Mode
from csv_gate.model.facts import CertificateFacts, ChainEnd, FactName, Facts, Gap, PageHashFacts, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.model.verdict import Decision, Verdict
from tests.builders import appcontrol as ac
from tests.builders import facts as f

ALLOWED, DENIED, UNDECIDED, OTHER = Decision.ALLOWED, Decision.DENIED, Decision.UNDECIDED, Decision.NOT_APPLICABLE
A, D, S = "ID_ALLOW_A", "ID_DENY_D", "ID_SIGNER_S"

CA = f.tbs("Contoso CA", "Contoso Root")
CA_SHA1 = f.tbs("Contoso CA", "Contoso Root", "sha1")
CA_MD5 = f.tbs("Contoso CA", "Contoso Root", "md5")
IMAGE, IMAGE_SHA1 = f.hex_digest("image"), f.hex_digest("image", "sha1")
PAGE, FLAT, PADDED = f.hex_digest("page"), f.hex_digest("flat"), f.hex_digest("padded")
ANY = ac.allow(file_name="*")
CONTOSO = ac.signer(tbs=CA, publisher="Contoso Ltd")
SIGNED = f.facts(f.signature())
UNSIGNED = f.facts()
DRIVER = f.facts(f.signature(), header=f.pe(is_driver=True))
WHQL_LEAF = f.certificate(
    "Microsoft Windows Hardware Compatibility Publisher", issuer_cn="MS PCA", eku=(f.WHQL, f.CODE_SIGNING)
)
WHQL_DRIVER = f.facts(f.signature(WHQL_LEAF, root="06"), header=f.pe(is_driver=True))
COMPONENT_LEAF = f.certificate("Microsoft Windows", issuer_cn="MS PCA", eku=(f.WINDOWS_COMPONENT, f.CODE_SIGNING))
INBOX_DRIVER = f.facts(f.signature(COMPONENT_LEAF, root="06"), header=f.pe(is_driver=True))
USUAL = ac.USUAL


@dataclass(frozen=True)
class Case:
    """One row; `context` changes the default context."""

    artifact: Facts
    policies: AppControlPolicySet
    decision: Decision
    rule: str | None = None
    check: str | None = None
    context: Mapping[str, object] = field(default_factory=dict)
    says: str = ""
    """A part of `because`, `help` or `missing`."""
    audited: bool = False
    event: int | None = None


def one(*rules: object, **properties: object) -> AppControlPolicySet:
    return ac.policy_set(ac.policy(*rules, **properties))  # type: ignore[arg-type]


def run(case: Case) -> Verdict:
    context = replace(AppControlContext(evaluated_at=f.NOW), **case.context)  # type: ignore[arg-type]
    return evaluate(case.artifact, compile_policy_set(case.policies), context, target="production")


def check_row(case: Case) -> None:
    verdict = run(case)
    assert (verdict.decision, verdict.audited) == (case.decision, case.audited), verdict
    assert case.event is None or verdict.predicted_event == case.event, verdict
    if case.rule is not None:
        assert verdict.rule is not None, verdict
        assert verdict.rule.id == case.rule
        assert verdict.rule.place is not None
    if case.check is not None:
        assert case.check in verdict.checks, verdict
    assert case.says in " ".join((verdict.because, verdict.help, *verdict.missing)), verdict
    assert bool(verdict.missing) == (verdict.decision is UNDECIDED)


ORDER = {
    "what no rule allows is denied": Case(SIGNED, one(), DENIED, check="CSV201"),
    "an allowed signer allows": Case(SIGNED, one(signers=[CONTOSO]), ALLOWED, S),
    "a wildcard name allows even a file without a version resource": Case(f.facts(resource=None), one(ANY), ALLOWED, A),
    "a deny rule wins over an allow rule": Case(SIGNED, one(ANY, ac.deny(product_name="Contoso Suite")), DENIED, D, "CSV202"),
    "a denied signer wins over an allow rule": Case(
        SIGNED, one(ANY, signers=[CONTOSO], denied=[ac.use()]), DENIED, S, "CSV203"
    ),
    "a denied signer is found in a second signature": Case(
        f.facts(f.signature(f.certificate("Other", issuer_cn="Other CA")), f.signature()),
        one(ANY, signers=[CONTOSO], denied=[ac.use()]),
        DENIED,
        S,
    ),
    "an allowed signer is found in a catalog's signature": Case(
        f.facts(f.signature(source=SignatureSource.CATALOG)), one(signers=[CONTOSO]), ALLOWED, S
    ),
    "a rule that no scenario refers to does nothing": Case(SIGNED, one(unreferenced=[ANY]), DENIED, check="CSV201"),
    "an empty scenario allows nothing": Case(SIGNED, one(scenarios=[ac.scenario(USER_SCENARIO)]), DENIED, check="CSV201"),
    "a rule of the kernel scenario does nothing for user code": Case(
        SIGNED, one(ANY, scenarios=[ac.scenario(KERNEL_SCENARIO, ac.group([ANY])), ac.scenario(USER_SCENARIO)]), DENIED
    ),
}

HASHES = {
    "the Authenticode SHA-256 allows": Case(UNSIGNED, one(ac.allow(hash=IMAGE)), ALLOWED, A),
    "the Authenticode SHA-1 allows": Case(UNSIGNED, one(ac.allow(hash=IMAGE_SHA1)), ALLOWED, A),
    "the first page alone does not allow": Case(UNSIGNED, one(ac.allow(hash=PAGE)), UNDECIDED, check="CSV804"),
    "the first page alone denies": Case(UNSIGNED, one(ANY, ac.deny(hash=PAGE)), DENIED, D),
    "the first page allows under a signed table that verifies whole": Case(
        f.facts(f.signature(page_hashes=PageHashFacts(algorithm="sha256", matches=True))),
        one(ac.allow(hash=PAGE)),
        ALLOWED,
        A,
    ),
    "the first page does not allow under a table of another hash": Case(
        f.facts(f.signature(page_hashes=PageHashFacts(algorithm="sha1", matches=True))), one(ac.allow(hash=PAGE)), UNDECIDED
    ),
    "the first page does not allow under a table in a broken signature": Case(
        f.facts(f.signature(valid=False, page_hashes=PageHashFacts(algorithm="sha256", matches=True))),
        one(ac.allow(hash=PAGE)),
        UNDECIDED,
    ),
    "the image digest alone does not allow a page-hash-signed file": Case(
        f.facts(f.signature(page_hashes=PageHashFacts(algorithm="sha256", matches=True))),
        one(ac.allow(hash=IMAGE)),
        UNDECIDED,
    ),
    "image and page together allow a page-hash-signed file": Case(
        f.facts(f.signature(page_hashes=PageHashFacts(algorithm="sha256", matches=True))),
        one(ac.allow(hash=IMAGE), ac.allow("ID_ALLOW_B", hash=PAGE)),
        ALLOWED,
        A,
    ),
    "a hash rule allows a file whose signature is broken": Case(
        f.facts(f.signature(valid=False)), one(ac.allow(hash=IMAGE)), ALLOWED, A
    ),
    "the flat digest of an ordinary PE does not allow": Case(UNSIGNED, one(ac.allow(hash=FLAT)), DENIED, says="flat SHA-256"),
    "the flat digest of an ordinary PE may deny": Case(UNSIGNED, one(ANY, ac.deny(hash=FLAT)), UNDECIDED),
    "the flat digest allows a PE that Authenticode cannot lay out": Case(
        f.facts(
            taken=f.digests(authenticode_sha1=None, authenticode_sha256=None, page_sha1=None, page_sha256=None),
            problems=[Problem(code=ProblemCode.PE_NOT_AUTHENTICODE_LAYOUT, detail="")],
        ),
        one(ac.allow(hash=FLAT)),
        ALLOWED,
        A,
    ),
    "one of two paddings does not allow": Case(
        f.facts(taken=f.digests(padded_authenticode_sha256=PADDED)), one(ac.allow(hash=IMAGE)), UNDECIDED
    ),
    "one of two paddings does not deny for sure": Case(
        f.facts(taken=f.digests(padded_authenticode_sha256=PADDED)), one(ANY, ac.deny(hash=PADDED)), UNDECIDED
    ),
    "both paddings allow": Case(
        f.facts(taken=f.digests(padded_authenticode_sha256=PADDED)),
        one(ac.allow(hash=IMAGE), ac.allow("ID_ALLOW_B", hash=PADDED)),
        ALLOWED,
    ),
    "a hash rule of a length that is not compared leaves it open": Case(
        UNSIGNED, one(ANY, ac.deny(hash="00" * 48)), UNDECIDED, check="CSV804"
    ),
    "unknown digests leave a hash deny open": Case(
        f.facts(gaps=[FactName.DIGESTS]), one(ANY, ac.deny(hash="11" * 32)), UNDECIDED, check="CSV802"
    ),
}

V = f.version(file_version=(5, 0, 0, 0))


def versioned(minimum: ac.Dotted | None = None, maximum: ac.Dotted | None = None, *, deny: bool) -> AppControlPolicySet:
    if deny:
        return one(ANY, ac.deny(file_name="app.dll", minimum=minimum, maximum=maximum))
    return one(ac.allow(file_name="app.dll", minimum=minimum, maximum=maximum))


VERSIONS = {
    "an allow minimum is a floor, met": Case(UNSIGNED, versioned((5, 0, 0, 0), deny=False), ALLOWED, A),
    "an allow minimum is a floor, missed": Case(UNSIGNED, versioned((5, 0, 0, 1), deny=False), DENIED, says="starts at"),
    "an allow maximum is a ceiling, met": Case(UNSIGNED, versioned(None, (5, 0, 0, 0), deny=False), ALLOWED, A),
    "an allow maximum is a ceiling, missed": Case(UNSIGNED, versioned(None, (4, 9, 0, 0), deny=False), DENIED),
    "an allow range includes its ends": Case(UNSIGNED, versioned((5, 0, 0, 0), (5, 0, 0, 0), deny=False), ALLOWED, A),
    "a deny minimum is a ceiling: at it": Case(UNSIGNED, versioned((5, 0, 0, 0), deny=True), DENIED, D),
    "a deny minimum is a ceiling: below it": Case(UNSIGNED, versioned((9, 0, 0, 0), deny=True), DENIED, D),
    "a deny minimum is a ceiling: above it": Case(UNSIGNED, versioned((4, 0, 0, 0), deny=True), ALLOWED, A),
    "a deny rule without versions always denies": Case(UNSIGNED, versioned(deny=True), DENIED, D),
    "a deny maximum is a ceiling": Case(UNSIGNED, versioned(None, (5, 0, 0, 0), deny=True), DENIED, D),
    "a deny maximum spares what is newer": Case(UNSIGNED, versioned(None, (4, 0, 0, 0), deny=True), ALLOWED, A),
    "a deny range denies inside": Case(UNSIGNED, versioned((4, 0, 0, 0), (6, 0, 0, 0), deny=True), DENIED, D),
    "a deny range spares below": Case(UNSIGNED, versioned((5, 0, 0, 1), (6, 0, 0, 0), deny=True), ALLOWED, A),
    "the numbers of a binary decide: a floor with a full maximum denies from there": Case(
        UNSIGNED,
        one(
            ANY,
            ac.deny(file_name="app.dll", stored=VersionBounds(minimum=6 << 48, maximum=VERSION_MAX)),
        ),
        ALLOWED,
    ),
    "a denied signer's file attribute without versions is ambiguous": Case(
        SIGNED,
        one(
            ANY,
            unreferenced=[ac.attribute(file_name="app.dll")],
            signers=[ac.signer(tbs=CA, attributes=["ID_FILEATTRIB_F"])],
            denied=[ac.use()],
        ),
        UNDECIDED,
        check="CSV804",
        says="0.0.0.0",
    ),
    "an allowed signer's file attribute without versions is not ambiguous": Case(
        SIGNED,
        one(unreferenced=[ac.attribute(file_name="app.dll")], signers=[ac.signer(tbs=CA, attributes=["ID_FILEATTRIB_F"])]),
        ALLOWED,
        S,
    ),
    "a floor is not met by a file without a version": Case(
        f.facts(resource=None), one(ac.allow(file_name="*", minimum=(1, 0, 0, 0))), DENIED
    ),
    "a ceiling leaves a file without a version open": Case(
        f.facts(resource=None), one(ac.allow(file_name="*", maximum=(9, 0, 0, 0))), UNDECIDED, check="CSV804"
    ),
}

NAMES = {
    "names are compared without case": Case(UNSIGNED, one(ac.allow(file_name="APP.DLL")), ALLOWED, A),
    "names are never trimmed": Case(UNSIGNED, one(ac.allow(file_name="app.dll ")), DENIED),
    "all names of a rule must match": Case(UNSIGNED, one(ac.allow(file_name="app.dll", product_name="Other")), DENIED),
    "an internal name is no file name": Case(UNSIGNED, one(ac.allow(file_name="app")), DENIED),
    "letters beyond ASCII fold where all tables agree": Case(
        f.facts(resource=f.version("äpp.dll")), one(ac.allow(file_name="ÄPP.DLL")), ALLOWED, A
    ),
    "the dotless i does not become an I for sure": Case(
        f.facts(resource=f.version("ınstall.exe")), one(ac.allow(file_name="INSTALL.EXE")), UNDECIDED, check="CSV804"
    ),
    "the Kelvin sign may be denied as a k": Case(
        f.facts(resource=f.version("\u212aernel.dll")), one(ANY, ac.deny(file_name="kernel.dll")), UNDECIDED
    ),
    "a sharp s is no double s for allowing": Case(
        f.facts(resource=f.version("gross.dll")), one(ac.allow(file_name="groß.dll")), UNDECIDED
    ),
    "unknown names leave a name deny open": Case(
        f.facts(gaps=[FactName.VERSION_NAMES]), one(ANY, ac.deny(file_name="evil.dll")), UNDECIDED, check="CSV802"
    ),
    "unknown names do not matter to a wildcard": Case(f.facts(gaps=[FactName.VERSION]), one(ANY), ALLOWED, A),
    "an absent name is no empty name": Case(f.facts(resource=None), one(ac.allow(file_name="app.dll")), DENIED),
    "a rule for a calling process needs to know it": Case(
        UNSIGNED, one(ac.allow(file_name="*", app_ids=["excel.exe"])), UNDECIDED, check="CSV803"
    ),
    "a rule for a calling process matches it": Case(
        UNSIGNED, one(ac.allow(file_name="*", app_ids=["excel.exe"])), ALLOWED, A, context={"calling_process": "EXCEL.EXE"}
    ),
    "a rule for another calling process does not match": Case(
        UNSIGNED, one(ac.allow(file_name="*", app_ids=["excel.exe"])), DENIED, context={"calling_process": "word.exe"}
    ),
    "a hotpatch condition leaves it open": Case(UNSIGNED, one(ac.allow(file_name="*", hotpatch="x")), UNDECIDED),
}


def signer_case(decision: Decision, *, check: str | None = None, says: str = "", **properties: object) -> Case:
    return Case(SIGNED, one(signers=[ac.signer(**{"tbs": CA, **properties})]), decision, check=check, says=says)  # type: ignore[arg-type]


def signed_by(**leaf: object) -> Facts:
    return f.facts(f.signature(f.certificate(**leaf)))  # type: ignore[arg-type]


ALLOW_CA = one(signers=[ac.signer(tbs=CA)])

SIGNERS = {
    "a leaf's TBS hash matches": signer_case(ALLOWED, tbs=f.tbs("Contoso Ltd", "Contoso CA")),
    "a TBS hash by another than the certificate's own algorithm does not match": signer_case(DENIED, tbs=CA_SHA1),
    "a TBS hash of a SHA-1 certificate is its SHA-1": Case(
        f.facts(f.signature(f.certificate(), f.authority(tbs_algorithm="sha1"))),
        one(ANY, signers=[ac.signer(tbs=CA_SHA1)], denied=[ac.use()]),
        DENIED,
        S,
    ),
    "a certificate signed with SHA-1 allows nothing for sure": Case(
        f.facts(f.signature(f.certificate(), f.authority(tbs_algorithm="sha1"))),
        one(signers=[ac.signer(tbs=CA_SHA1)]),
        UNDECIDED,
        check="CSV804",
    ),
    "a certificate signed with PSS leaves its TBS open": Case(
        f.facts(f.signature(f.certificate(), f.authority(signature_algorithm="rsassa_pss"))), ALLOW_CA, UNDECIDED
    ),
    "the publisher must match": signer_case(DENIED, publisher="Fabrikam", says="Fabrikam"),
    "a publisher that differs in case only is open": signer_case(UNDECIDED, publisher="contoso ltd", check="CSV804"),
    "the issuer of the leaf must match": signer_case(DENIED, issuer="Other CA"),
    "the issuer of the leaf matches": signer_case(ALLOWED, issuer="Contoso CA"),
    "the OEM id is the programme name, absent here": signer_case(DENIED, oem_id="Contoso"),
    "the OEM id is the programme name, equal here": Case(
        f.facts(f.signature(program_name="Contoso")), one(signers=[ac.signer(tbs=CA, oem_id="Contoso")]), ALLOWED, S
    ),
    "every EKU must be present": signer_case(DENIED, ekus=[ac.eku(f.CODE_SIGNING), ac.eku(f.WHQL)]),
    "all EKUs present": signer_case(ALLOWED, ekus=[ac.eku(f.CODE_SIGNING)]),
    "an excepted EKU must be absent": signer_case(DENIED, ekus=[ac.eku(f.CODE_SIGNING, is_except=True)]),
    "an excepted EKU is absent": signer_case(ALLOWED, ekus=[ac.eku(f.WHQL, is_except=True)]),
    "a sign time needs a time stamp": signer_case(DENIED, after=datetime(2024, 1, 1, tzinfo=UTC)),
    "a sign time is met": Case(
        f.facts(f.signature(stamp=f.timestamp())),
        one(signers=[ac.signer(tbs=CA, after=datetime(2024, 1, 1, tzinfo=UTC))]),
        ALLOWED,
    ),
    "a sign time is missed": Case(
        f.facts(f.signature(stamp=f.timestamp())),
        one(signers=[ac.signer(tbs=CA, after=datetime(2025, 6, 1, tzinfo=UTC))]),
        DENIED,
    ),
    "a broken time stamp leaves an allow open": Case(f.facts(f.signature(stamp=f.timestamp(valid=False))), ALLOW_CA, UNDECIDED),
    "one file attribute of several suffices": Case(
        SIGNED,
        one(
            unreferenced=[ac.attribute("ID_FILEATTRIB_1", file_name="x"), ac.attribute("ID_FILEATTRIB_2", file_name="app.dll")],
            signers=[ac.signer(tbs=CA, attributes=["ID_FILEATTRIB_1", "ID_FILEATTRIB_2"])],
        ),
        ALLOWED,
        S,
    ),
    "a file attribute that differs denies, and the near miss says how": Case(
        SIGNED,
        one(
            unreferenced=[ac.attribute(product_name="Other Suite")],
            signers=[ac.signer(tbs=CA, attributes=["ID_FILEATTRIB_F"])],
        ),
        DENIED,
        says="ProductName is 'Contoso Suite', the rule wants 'Other Suite'",
    ),
    "an exception un-matches an allowed signer": Case(
        SIGNED,
        one(unreferenced=[ac.deny(file_name="app.dll")], signers=[CONTOSO], allowed=[ac.use(S, D)]),
        DENIED,
        check="CSV201",
    ),
    "an exception decides nothing else": Case(
        SIGNED,
        one(ac.allow(hash=IMAGE), unreferenced=[ac.deny(file_name="app.dll")], signers=[CONTOSO], allowed=[ac.use(S, D)]),
        ALLOWED,
        A,
    ),
    "an exception un-matches a denied signer": Case(
        SIGNED,
        one(
            ANY, unreferenced=[ac.allow("ID_ALLOW_X", file_name="app.dll")], signers=[CONTOSO], denied=[ac.use(S, "ID_ALLOW_X")]
        ),
        ALLOWED,
        A,
    ),
    "a broken signature allows nothing": Case(
        f.facts(f.signature(valid=False)), one(signers=[CONTOSO]), DENIED, S, "CSV204", says="sign the file again"
    ),
    "a broken signature of a denied signer leaves it open": Case(
        f.facts(f.signature(valid=False)), one(ANY, signers=[CONTOSO], denied=[ac.use()]), UNDECIDED
    ),
    "an expired certificate allows": Case(signed_by(not_after=datetime(2025, 1, 1, tzinfo=UTC)), ALLOW_CA, ALLOWED),
    "an expired certificate with the lifetime EKU does not": Case(
        signed_by(not_after=datetime(2025, 1, 1, tzinfo=UTC), eku=(f.CODE_SIGNING, f.LIFETIME)),
        ALLOW_CA,
        DENIED,
        check="CSV204",
    ),
    "a void signature beside a hash rule is open without option 20": Case(
        signed_by(not_after=datetime(2025, 1, 1, tzinfo=UTC), eku=(f.CODE_SIGNING, f.LIFETIME)),
        one(ac.allow(hash=IMAGE)),
        UNDECIDED,
        says="option 20",
    ),
    "a void signature counts as none with option 20": Case(
        signed_by(not_after=datetime(2025, 1, 1, tzinfo=UTC), eku=(f.CODE_SIGNING, f.LIFETIME)),
        one(ac.allow(hash=IMAGE), options=USUAL | {Option.REVOKED_EXPIRED_AS_UNSIGNED}),
        ALLOWED,
        A,
    ),
    "a revoked certificate allows nothing": Case(
        SIGNED,
        ALLOW_CA,
        DENIED,
        check="CSV204",
        context={"revoked_sha256": frozenset({f.certificate().thumbprint_sha256})},
    ),
    "an elliptic-curve key leaves it open and quotes why": Case(
        signed_by(key_algorithm="ec", key_bits=256), ALLOW_CA, UNDECIDED, check="CSV804", says="VerificationError 23"
    ),
    "a small RSA key leaves it open": Case(signed_by(key_bits=1024), ALLOW_CA, UNDECIDED),
    "a huge RSA key leaves it open": Case(signed_by(key_bits=8192), ALLOW_CA, UNDECIDED),
    "a SHA-1 digest leaves it open": Case(f.facts(f.signature(digest_algorithm="sha1")), ALLOW_CA, UNDECIDED),
    "a SHA-384 digest leaves it open": Case(f.facts(f.signature(digest_algorithm="sha384")), ALLOW_CA, UNDECIDED),
    "an MD5 digest allows nothing": Case(f.facts(f.signature(digest_algorithm="md5")), ALLOW_CA, DENIED, check="CSV204"),
    "a higher minimum hash leaves SHA-256 open": Case(
        SIGNED,
        one(
            signers=[CONTOSO],
            scenarios=[ac.scenario(USER_SCENARIO, ac.group(allowed=[ac.use()]), minimum_hash=0x800D)],
        ),
        UNDECIDED,
    ),
    "a leaf without the code-signing EKU leaves it open": Case(signed_by(eku=(f.WHQL,)), ALLOW_CA, UNDECIDED),
    "an issuer that is no CA leaves it open": Case(
        f.facts(f.signature(f.certificate(), f.authority(is_ca=None))), ALLOW_CA, UNDECIDED
    ),
    "unknown signatures leave a signer deny open": Case(
        f.facts(gaps=[FactName.SIGNATURES]), one(ANY, signers=[CONTOSO], denied=[ac.use()]), UNDECIDED, check="CSV802"
    ),
    "unknown catalogs leave a missing allow open": Case(f.facts(gaps=[FactName.CATALOGS]), ALLOW_CA, UNDECIDED),
    "an unknown chain leaves it open": Case(f.facts(f.signature(chain_known=False)), ALLOW_CA, UNDECIDED),
    "a signer's artifact rules leave it open": signer_case(UNDECIDED, artifact_rules=["ID_ARTIFACT_X"]),
    "a file attribute that is not defined leaves it open": signer_case(UNDECIDED, attributes=["ID_NOWHERE"]),
}


def root_case(
    number: int, decision: Decision, *, chain_root: str | None = None, check: str | None = None, **rest: object
) -> Case:
    leaf = f.certificate(issuer_cn=str(rest.pop("issuer", "Contoso CA")))
    top = f.authority(leaf.issuer_cn or "", issuer_cn=str(rest.pop("top_issuer", "Contoso Root")))
    options = USUAL | set(rest.pop("options", ()))  # type: ignore[call-overload]
    policies = one(signers=[ac.signer(well_known=number)], options=options)
    return Case(f.facts(f.signature(leaf, top, root=chain_root)), policies, decision, check=check, context=rest)


ROOTS = {
    "a well-known root matches by number": root_case(6, ALLOWED, chain_root="06"),
    "another well-known root does not": root_case(6, DENIED, chain_root="07"),
    "a chain of another issuer is ruled out by name": root_case(0x0C, DENIED),
    "a chain whose top Microsoft issued is not ruled out": root_case(
        0x0C, UNDECIDED, top_issuer="Microsoft Digital Media Authority 2005", check="CSV802"
    ),
    "a chain that names the root without its key does not allow": root_case(
        6, UNDECIDED, top_issuer="Microsoft Root Certificate Authority 2010"
    ),
    "root 00 is not specified": root_case(0, UNDECIDED, check="CSV804"),
    "root 00 is not a known root": root_case(0, DENIED, chain_root="06"),
    "root 14 needs the target's list": root_case(0x14, UNDECIDED, check="CSV803"),
    "root 14 with a list that holds the chain's root": root_case(
        0x14,
        ALLOWED,
        trusted_roots_sha256=frozenset({f.authority("Contoso CA", issuer_cn="Contoso Root").thumbprint_sha256}),
    ),
    "a test root does not count in production": root_case(0x0A, DENIED, chain_root="0A"),
    "a test root counts with test signing": root_case(0x0A, ALLOWED, chain_root="0A", test_signing=True),
    "a flight root needs the target's word": root_case(0x0E, UNDECIDED, chain_root="0E", check="CSV803"),
    "a flight root counts where the target takes flights": root_case(0x0E, ALLOWED, chain_root="0E", flight_signing=True),
    "option 4 takes trust from flight roots": root_case(
        0x0E, DENIED, chain_root="0E", flight_signing=True, options=[Option.DISABLED_FLIGHT_SIGNING]
    ),
    "the TBS of a known root that is not in the file": Case(
        f.facts(f.signature(root="06", root_tbs={"sha256": "ab" * 32})), one(signers=[ac.signer(tbs="ab" * 32)]), ALLOWED
    ),
    "the TBS of a given root that is not in the file leaves it open": Case(
        f.facts(f.signature(end=ChainEnd.GIVEN_ROOT, root_tbs={"sha256": "ab" * 32})),
        one(signers=[ac.signer(tbs="ab" * 32)]),
        UNDECIDED,
    ),
}

STRICT = ac.policy(name="Strict", number=2)
ALLOW_ALL = ac.policy(ANY, name="AllowAll", number=3)
AUDIT = ac.policy(name="Audit", number=4, options=USUAL | {Option.AUDIT_MODE})
ALLOW_SUPPLEMENT = ac.supplemental(ANY)
SIGNED_BASE = ac.policy(options={Option.UMCI, Option.ALLOW_SUPPLEMENTAL_POLICIES})

SETS = {
    "every base must allow": Case(SIGNED, ac.policy_set(ALLOW_ALL, STRICT), DENIED),
    "two bases that allow": Case(SIGNED, ac.policy_set(ALLOW_ALL, ac.policy(ANY, number=5)), ALLOWED),
    "a supplemental adds to its base": Case(SIGNED, ac.policy_set(STRICT, supplementals=[ALLOW_SUPPLEMENT]), ALLOWED, A),
    "a supplemental adds to its own base only": Case(
        SIGNED, ac.policy_set(ALLOW_ALL, STRICT, supplementals=[ALLOW_SUPPLEMENT]), DENIED
    ),
    "a deny rule of a supplemental is ignored": Case(
        SIGNED,
        ac.policy_set(ALLOW_ALL, supplementals=[ac.supplemental(ac.deny(file_name="app.dll"))]),
        ALLOWED,
    ),
    "an exception in a supplemental is not specified": Case(
        SIGNED,
        ac.policy_set(
            STRICT,
            supplementals=[
                ac.supplemental(unreferenced=[ac.deny(file_name="app.dll")], signers=[CONTOSO], allowed=[ac.use(S, D)])
            ],
        ),
        UNDECIDED,
        check="CSV804",
    ),
    "without option 17 a supplemental counts nothing": Case(
        SIGNED,
        ac.policy_set(ac.policy(options={Option.UMCI, Option.UNSIGNED_POLICY}), supplementals=[ALLOW_SUPPLEMENT]),
        DENIED,
        check="CSV206",
        says="option 17",
    ),
    "a signed base ignores an unsigned binary supplemental": Case(
        SIGNED,
        ac.policy_set(SIGNED_BASE, supplementals=[ac.supplemental(ANY, form=PolicyForm.BINARY)]),
        DENIED,
        check="CSV206",
    ),
    "whether an XML supplemental will be signed is unknown": Case(
        SIGNED, ac.policy_set(SIGNED_BASE, supplementals=[ALLOW_SUPPLEMENT]), UNDECIDED
    ),
    "who may sign a supplemental is not checked": Case(
        SIGNED,
        ac.policy_set(
            SIGNED_BASE,
            supplementals=[
                ac.supplemental(
                    ANY,
                    form=PolicyForm.BINARY,
                    signature=PolicySignature(valid=True, subject="CN=x", thumbprint_sha1="00"),
                )
            ],
        ),
        UNDECIDED,
    ),
    "a supplemental without its base does nothing": Case(
        SIGNED, ac.policy_set(STRICT, orphans=[ALLOW_SUPPLEMENT]), DENIED, check="CSV205"
    ),
    "a tagging policy never blocks": Case(SIGNED, ac.policy_set(ALLOW_ALL, tagging=[STRICT]), ALLOWED),
    "an audit base only logs": Case(SIGNED, ac.policy_set(AUDIT), DENIED, check="CSV201", audited=True),
    "an audit base beside an enforced one that allows": Case(SIGNED, ac.policy_set(ALLOW_ALL, AUDIT), DENIED, audited=True),
    "an enforced base beside an audit one that allows": Case(
        SIGNED, ac.policy_set(ac.policy(ANY, options=USUAL | {Option.AUDIT_MODE}), STRICT), DENIED
    ),
    "enforce mode judges an audit base as enforced": Case(SIGNED, ac.policy_set(AUDIT), DENIED, context={"mode": Mode.ENFORCE}),
    "a base without UMCI does not govern user code": Case(
        SIGNED, ac.policy_set(ac.policy(options={Option.UNSIGNED_POLICY})), OTHER, says="UMCI"
    ),
    "a base without UMCI puts no limit beside one with it": Case(
        SIGNED, ac.policy_set(ALLOW_ALL, ac.policy(number=5, options={Option.UNSIGNED_POLICY})), ALLOWED
    ),
    "UMCI without scenario 12 allows nothing": Case(SIGNED, one(scenarios=[]), DENIED),
    "UMCI without scenario 12 under a supplemental that allows is open": Case(
        SIGNED, ac.policy_set(ac.policy(scenarios=[]), supplementals=[ALLOW_SUPPLEMENT]), UNDECIDED
    ),
    "no base at all governs nothing": Case(SIGNED, ac.policy_set(), OTHER),
    "an uncertain set allows nothing for sure": Case(
        SIGNED, ac.policy_set(ALLOW_ALL, uncertainties=["two bases have one id"]), UNDECIDED, says="two bases"
    ),
    "inherited scenarios are not specified": Case(
        SIGNED,
        one(ANY, scenarios=[ac.scenario(USER_SCENARIO, ac.group([ANY]), inherited=["ID_SIGNINGSCENARIO_131"])]),
        UNDECIDED,
    ),
    "test signers count for nothing in production": Case(
        SIGNED, one(ANY, scenarios=[ac.scenario(USER_SCENARIO, test=ac.group([ANY]))]), DENIED
    ),
    "test signers leave it open with test signing": Case(
        SIGNED,
        one(ANY, scenarios=[ac.scenario(USER_SCENARIO, test=ac.group([ANY]))]),
        UNDECIDED,
        context={"test_signing": True},
    ),
    "a managed installer leaves it open": Case(
        SIGNED, one(options=USUAL | {Option.MANAGED_INSTALLER}), UNDECIDED, check="CSV803"
    ),
    "a managed installer allows on the user's word": Case(
        SIGNED, one(options=USUAL | {Option.MANAGED_INSTALLER}), ALLOWED, context={"managed_installer": True}
    ),
    "the security graph leaves it open": Case(
        SIGNED, one(options=USUAL | {Option.INTELLIGENT_SECURITY_GRAPH}), UNDECIDED, check="CSV803"
    ),
    "the security graph that does not know it": Case(
        SIGNED, one(options=USUAL | {Option.INTELLIGENT_SECURITY_GRAPH}), DENIED, context={"isg_trusted": False}
    ),
}

DRIVERS = {
    "a driver is judged by scenario 131": Case(
        WHQL_DRIVER, one(ANY, scenarios=[ac.scenario(KERNEL_SCENARIO), ac.scenario(USER_SCENARIO, ac.group([ANY]))]), DENIED
    ),
    "a driver needs more than the policy's word": Case(DRIVER, one(ANY), UNDECIDED, check="CSV803", says="driver-signing"),
    "a WHQL signature proves the rest": Case(WHQL_DRIVER, one(ANY), ALLOWED, A),
    "the user's word proves the rest": Case(DRIVER, one(ANY), ALLOWED, A, context={"driver_signing_satisfied": True}),
    "the user's word denies": Case(WHQL_DRIVER, one(ANY), DENIED, check="CSV208", context={"driver_signing_satisfied": False}),
    "a policy without scenario 131 leaves a driver open": Case(
        WHQL_DRIVER, one(ANY, scenarios=[ac.scenario(USER_SCENARIO, ac.group([ANY]))]), UNDECIDED, check="CSV804"
    ),
    "an empty scenario 131 denies": Case(WHQL_DRIVER, one(scenarios=[ac.scenario(KERNEL_SCENARIO)]), DENIED),
    "UMCI does not matter to drivers": Case(WHQL_DRIVER, one(ANY, options={Option.UNSIGNED_POLICY}), ALLOWED),
    "option 2 wants a WHQL signature": Case(
        DRIVER,
        one(ANY, options=USUAL | {Option.WHQL}),
        DENIED,
        check="CSV207",
        context={"driver_signing_satisfied": True},
    ),
    "option 2 is met by a WHQL signature": Case(WHQL_DRIVER, one(ANY, options=USUAL | {Option.WHQL}), ALLOWED),
    "option 2 and the Windows component EKU": Case(
        INBOX_DRIVER, one(ANY, options=USUAL | {Option.WHQL}), UNDECIDED, check="CSV804"
    ),
    "option 2 spares what predates it": Case(
        DRIVER,
        one(ANY, options=USUAL | {Option.WHQL}),
        ALLOWED,
        context={"whql_exempt": True, "driver_signing_satisfied": True},
    ),
    "option 8 contradicts itself": Case(WHQL_DRIVER, one(ANY, options=USUAL | {Option.EV_SIGNERS}), UNDECIDED, says="option 8"),
    "path rules do not count for drivers": Case(
        WHQL_DRIVER, one(ac.allow(path="*")), DENIED, context={"install_path": "C:\\a.sys", "is_user_writable": False}
    ),
    "the code mode overrides the header": Case(WHQL_DRIVER, one(ANY), ALLOWED, context={"code_mode": CodeMode.USER}),
    "a DLL that imports the kernel could be either": Case(
        f.facts(f.signature(), header=f.pe(imports_kernel=True)), one(ANY), UNDECIDED, says="code_mode"
    ),
    "the managed installer does not vouch for drivers": Case(
        WHQL_DRIVER, one(options=USUAL | {Option.MANAGED_INSTALLER}), DENIED, context={"managed_installer": True}
    ),
}

INSTALLED = {"install_path": "C:\\Program Files\\App\\app.dll", "is_user_writable": False}

PATHS = {
    "a path rule needs the path": Case(UNSIGNED, one(ac.allow(path="C:\\*")), UNDECIDED, check="CSV803"),
    "a folder rule is recursive": Case(UNSIGNED, one(ac.allow(path="C:\\Program Files\\*")), ALLOWED, A, context=INSTALLED),
    "a path is compared without case": Case(
        UNSIGNED, one(ac.allow(path="c:\\PROGRAM FILES\\app\\APP.DLL")), ALLOWED, A, context=INSTALLED
    ),
    "a macro stands for the system drive": Case(
        UNSIGNED, one(ac.allow(path="%OSDRIVE%\\Program Files\\*")), ALLOWED, A, context=INSTALLED
    ),
    "another folder does not match": Case(UNSIGNED, one(ac.allow(path="%WINDIR%\\*")), DENIED, context=INSTALLED),
    "a place that users may write to is not allowed": Case(
        UNSIGNED, one(ac.allow(path="C:\\*")), DENIED, context={**INSTALLED, "is_user_writable": True}
    ),
    "who may write must be told": Case(
        UNSIGNED, one(ac.allow(path="C:\\*")), UNDECIDED, context={**INSTALLED, "is_user_writable": None}
    ),
    "option 18 lifts the write check": Case(
        UNSIGNED,
        one(ac.allow(path="C:\\*"), options=USUAL | {Option.DISABLED_FILEPATH_PROTECTION}),
        ALLOWED,
        context={**INSTALLED, "is_user_writable": True},
    ),
    "a path deny does not ask who may write": Case(
        UNSIGNED, one(ANY, ac.deny(path="C:\\*")), DENIED, D, context={**INSTALLED, "is_user_writable": True}
    ),
    "several wildcards need Windows 11": Case(
        UNSIGNED, one(ac.allow(path="C:\\*\\App\\*")), ALLOWED, context={**INSTALLED, "os_build": 22621}
    ),
    "several wildcards match nothing on Windows 10": Case(
        UNSIGNED, one(ac.allow(path="C:\\*\\App\\*")), DENIED, context={**INSTALLED, "os_build": 19045}
    ),
    "several wildcards on an unknown build": Case(UNSIGNED, one(ac.allow(path="C:\\*\\App\\*")), UNDECIDED, context=INSTALLED),
    "one wildcard in the middle needs Windows 11": Case(
        UNSIGNED, one(ac.allow(path="C:\\*\\app.dll")), UNDECIDED, context=INSTALLED
    ),
}

PACKAGES = {
    "a package rule allows its package": Case(
        SIGNED, one(ac.allow(package="App_123")), ALLOWED, A, context={"package_family_name": "app_123"}
    ),
    "a package rule makes other rules not count for packages": Case(
        SIGNED,
        one(ac.allow(package="Other_1"), signers=[CONTOSO]),
        DENIED,
        context={"package_family_name": "App_123"},
    ),
    "a package rule does not matter outside packages": Case(
        SIGNED, one(ac.allow(package="Other_1"), signers=[CONTOSO]), ALLOWED, context={"package_family_name": ""}
    ),
    "a package rule asks whether there is a package": Case(
        SIGNED, one(ac.allow(package="Other_1"), signers=[CONTOSO]), UNDECIDED, check="CSV803"
    ),
    "a package version is not specified": Case(
        SIGNED,
        one(ac.allow(package="App_123", package_version=5)),
        UNDECIDED,
        context={"package_family_name": "App_123"},
    ),
}

HASHED = f.digests(page_sha1=None, page_sha256=None, sha1=f.hex_digest("flat", "sha1"))
SCRIPT = f.facts(format="powershell", taken=HASHED, resource=None)
HOSTED_MSI = f.facts(format="msi", taken=HASHED, resource=None)
LIFTED = USUAL | {Option.DISABLED_SCRIPT_ENFORCEMENT}

FORMATS = {
    "an unreadable artifact": Case(f.facts(gaps=[FactName.CONTENT]), one(ANY), UNDECIDED, check="CSV801"),
    "a PE whose header is unknown": Case(f.facts(gaps=[FactName.PE]), one(ANY), UNDECIDED, check="CSV802"),
    "an EFI application": Case(f.facts(header=f.pe(is_efi=True)), one(), OTHER, says="Secure Boot"),
    "a text file": Case(f.facts(format="text"), one(), OTHER),
    "an ELF image": Case(f.facts(format="elf"), one(), OTHER),
    "an installer under a rule for any file": Case(HOSTED_MSI, one(ANY), ALLOWED),
    "a script under a rule for any file": Case(SCRIPT, one(ANY), ALLOWED),
    "a script that no rule allows": Case(SCRIPT, one(), DENIED, check="CSV201", says="ConstrainedLanguage", event=8029),
    "a script that no rule of an audit policy allows": Case(
        SCRIPT, one(options=USUAL | {Option.AUDIT_MODE}), DENIED, audited=True, event=8028, says="ConstrainedLanguage"
    ),
    "a script by its signing digest alone": Case(SCRIPT, one(ac.allow(hash=f.hex_digest("image"))), UNDECIDED, check="CSV804"),
    "a script by its flat digest alone": Case(SCRIPT, one(ac.allow(hash=f.hex_digest("flat"))), UNDECIDED, check="CSV804"),
    "a script by both digests": Case(
        SCRIPT, one(ac.allow("A", hash=f.hex_digest("image")), ac.allow("B", hash=f.hex_digest("flat"))), ALLOWED
    ),
    "an installer that no rule allows": Case(HOSTED_MSI, one(), DENIED, says="Windows Installer refuses it", event=8029),
    "an installer by a file name, which it has none of": Case(HOSTED_MSI, one(ac.allow(file_name="app.msi")), DENIED),
    "a VBScript that no rule allows": Case(f.facts(format="vbscript", resource=None), one(), DENIED, says="does not run it"),
    "an HTML application under an audit policy": Case(
        f.facts(format="hta"), one(ANY, options=USUAL | {Option.AUDIT_MODE}), DENIED, says="even under a policy in audit mode"
    ),
    "a PowerShell XML file that no rule allows": Case(f.facts(format="powershell_xml"), one(), UNDECIDED, check="CSV804"),
    "an encoded script": Case(f.facts(format="encoded_script"), one(ANY), UNDECIDED, check="CSV802"),
    "a batch file": Case(f.facts(format="batch"), one(ANY), OTHER, says="not controlled"),
    "Python": Case(f.facts(format="python"), one(ANY), OTHER, says="not controlled"),
    "a compound file that is no package": Case(f.facts(format="ole"), one(ANY), OTHER, says="not controlled"),
    "a compound file that cannot be read": Case(
        f.facts(format="ole", gaps=[FactName.SIGNATURES]), one(ANY), UNDECIDED, check="CSV802"
    ),
    "a script without UMCI": Case(SCRIPT, one(options=()), OTHER),
    "a script under option 11": Case(SCRIPT, one(options=LIFTED), OTHER, context={"os_build": 22621}),
    "a script under option 11 on a build that does not know it": Case(
        SCRIPT, one(options=LIFTED), DENIED, context={"os_build": 14393}
    ),
    "a script under option 11 on an unknown build": Case(SCRIPT, one(options=LIFTED), UNDECIDED, check="CSV803"),
}

P = ProblemCode


def seen(*codes: ProblemCode) -> Facts:
    """A good file in whose signature something was seen that leaves it valid."""
    return f.facts(f.signature(problems=codes))


def below(*issuers: CertificateFacts) -> Facts:
    """Signed under these issuers."""
    return f.facts(f.signature(f.certificate(), *issuers))


STRANGER = ac.signer("ID_SIGNER_T", tbs=f.tbs("Stranger CA", "Stranger Root"))
DENYING = one(ANY, signers=[STRANGER], denied=[ac.use("ID_SIGNER_T")])
REVOKED = {"revoked_sha256": frozenset({"ab" * 32})}
NATIVE_UNREAD = f.facts(f.signature(), header=f.pe(is_driver=True, imports_read=False))
KERNEL_ONLY = one(ANY, scenarios=[ac.scenario(KERNEL_SCENARIO, ac.group([ANY])), ac.scenario(USER_SCENARIO)])
MET = {"driver_signing_satisfied": True}

PROBLEMS = {
    **{
        f"{code.value} leaves open whether the signer allows": Case(seen(code), one(signers=[CONTOSO]), UNDECIDED, S, "CSV804")
        for code in (
            P.CHAIN_AMBIGUOUS,
            P.CHAIN_TOO_LONG,
            P.CHAIN_ISSUER_NOT_CA,
            P.CMS_NOT_DER,
            P.CMS_SIGNER_VERSION,
            P.CMS_CERTIFICATE_MALFORMED,
            P.NESTED_DEEP,
        )
    },
    **{
        f"{code.value} may hide a denied signer": Case(seen(code), DENYING, UNDECIDED, check="CSV804")
        for code in (
            P.CHAIN_AMBIGUOUS,
            P.CHAIN_TOO_LONG,
            P.CHAIN_ISSUER_NOT_CA,
            P.CMS_CERTIFICATE_MALFORMED,
            P.NESTED_TOO_MANY,
        )
    },
    "a problem that hides nobody does not matter to rules of another kind": Case(seen(P.CHAIN_AMBIGUOUS), one(ANY), ALLOWED, A),
    "a chain that may be another may be revoked": Case(seen(P.CHAIN_AMBIGUOUS), one(ANY), UNDECIDED, context=REVOKED),
    "a denied signer of a signature nested in a nested one": Case(
        seen(P.NESTED_DEEP), one(ANY, signers=[CONTOSO], denied=[ac.use()]), UNDECIDED, check="CSV804"
    ),
    "a denied signer counts whatever was seen of the encoding": Case(
        seen(P.CMS_NOT_DER), one(ANY, signers=[CONTOSO], denied=[ac.use()]), DENIED, S, "CSV203"
    ),
    "an unknown unsigned attribute spoils nothing": Case(
        seen(P.CMS_UNSIGNED_ATTRIBUTE_UNKNOWN), one(signers=[CONTOSO]), ALLOWED, S
    ),
    "an intermediate signed with MD5": Case(
        below(f.authority(tbs_algorithm="md5")),
        one(signers=[ac.signer(tbs=CA_MD5)]),
        UNDECIDED,
    ),
    "a root that signed itself with MD5": Case(
        below(f.authority(), f.authority("Contoso Root", is_self_issued=True, tbs_algorithm="md5")),
        one(signers=[CONTOSO]),
        ALLOWED,
        S,
    ),
    "an issuer of its own name below the top is no root": Case(
        below(f.authority(is_self_issued=True, tbs_algorithm="sha1", is_ca=None), f.authority("Contoso Root")),
        one(signers=[ac.signer(tbs=CA_SHA1)]),
        UNDECIDED,
    ),
    "a signature of a table that contradicts itself": Case(
        replace(SIGNED, gaps=(Gap(what=FactName.SIGNATURES, why="two sizes"),)),
        one(signers=[CONTOSO], options=USUAL | {Option.REVOKED_EXPIRED_AS_UNSIGNED}),
        UNDECIDED,
        check="CSV802",
    ),
    "a catalog's signature beside such a table": Case(
        replace(f.facts(f.signature(source=SignatureSource.CATALOG)), gaps=(Gap(what=FactName.SIGNATURES, why="two sizes"),)),
        one(signers=[CONTOSO], options=USUAL | {Option.REVOKED_EXPIRED_AS_UNSIGNED}),
        ALLOWED,
        S,
    ),
    "page hashes signed in such a table": Case(
        replace(
            f.facts(f.signature(page_hashes=PageHashFacts(algorithm="sha256", matches=True))),
            gaps=(Gap(what=FactName.SIGNATURES, why="two sizes"),),
        ),
        one(ac.allow(hash=PAGE), options=USUAL | {Option.REVOKED_EXPIRED_AS_UNSIGNED}),
        UNDECIDED,
    ),
    "a told code mode does not mend an unknown header": Case(
        f.facts(gaps=[FactName.PE]), one(ANY), UNDECIDED, check="CSV802", context={"code_mode": CodeMode.USER}
    ),
    "a header that Windows may refuse, with a told code mode": Case(
        replace(SIGNED, gaps=(Gap(what=FactName.PE, why="sections overlap"),)),
        one(ANY),
        UNDECIDED,
        check="CSV802",
        context={"code_mode": CodeMode.USER},
    ),
    "a native image with unread imports could be a program": Case(
        NATIVE_UNREAD, KERNEL_ONLY, UNDECIDED, check="CSV803", context=MET
    ),
    "a native image with unread imports that both scenarios allow": Case(NATIVE_UNREAD, one(ANY), ALLOWED, context=MET),
    "a told code mode settles unread imports": Case(
        NATIVE_UNREAD, KERNEL_ONLY, ALLOWED, context={**MET, "code_mode": CodeMode.KERNEL}
    ),
    "a program with unread imports could be kernel code": Case(
        f.facts(f.signature(), header=f.pe(imports_read=False)), one(ANY), UNDECIDED, says="code_mode"
    ),
}

TABLES = {
    "problems": PROBLEMS,
    "order": ORDER,
    "hashes": HASHES,
    "versions": VERSIONS,
    "names": NAMES,
    "signers": SIGNERS,
    "roots": ROOTS,
    "sets": SETS,
    "drivers": DRIVERS,
    "paths": PATHS,
    "packages": PACKAGES,
    "formats": FORMATS,
}


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{table}: {name}") for table, rows in TABLES.items() for name, case in rows.items()]
)
def test_the_engine_decides(case: Case) -> None:
    check_row(case)
