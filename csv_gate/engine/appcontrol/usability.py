"""Which signatures count: for allowing only those that Windows takes for sure, for denying every one that it might.

An expired certificate does not matter, with or without a time stamp, unless it carries the lifetime-signing EKU. PE code needs no
trusted root. What is published contradicts itself or stays silent for elliptic curves, SHA-1 and SHA-384/512 digests, small keys,
leaves that are not meant for code, issuers that are no CA, broken time stamps, encodings other than DER, chains that could be built
in another way, signatures nested in nested ones, and certificate tables that contradict themselves: those allow nothing on their own.

Sources: App Control docs, "Understand App Control policy rules and file rules" (signers, option 20), "Understanding App Control event
tags" (VerificationError), "Use signed policies" (key sizes), "App Control admin tips and known issues".
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain as one_after_another
from types import MappingProxyType

from csv_gate.engine.appcontrol.per_chain import PerChain
from csv_gate.engine.appcontrol.truth import ALLOW, CONTEXT, FACT, NOT_SPECIFIED, Answer, Direction, all_of, no, unknown, yes
from csv_gate.engine.appcontrol.view import ArtifactView
from csv_gate.engine.appcontrol.well_known import (
    FLIGHT_ROOTS,
    PRODUCT_ROOTS,
    TEST_ROOTS,
    chain_root_number,
    is_named_like_a_limited_root,
)
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import CertificateFacts, ChainEnd, ChainFacts, SignatureFacts, SignatureSource, TimestampFacts
from csv_gate.model.problems import ProblemCode
from csv_gate.records import dataclass

CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
LIFETIME_SIGNING = "1.3.6.1.4.1.311.10.3.13"
DEFAULT_MINIMUM_HASH = 0x800C
"""SHA-256: what a compiled policy stores where the scenario names none."""
MICROSOFT_USAGES = "1.3.6.1.4.1.311."
"""Arc of Microsoft's own extended key usages."""
FIRST_ENTRY = "0"
_EMBEDDED, _CATALOG = SignatureSource.EMBEDDED, SignatureSource.CATALOG
_IN_THE_FILE = frozenset({SignatureSource.EMBEDDED, SignatureSource.NESTED})
MAX_RSA_BITS = 4096
MIN_RSA_BITS = 2048

DOUBTFUL_PROBLEMS = MappingProxyType(
    {
        ProblemCode.CHAIN_AMBIGUOUS: "which of several chains of a signature Windows builds",
        ProblemCode.CHAIN_INCOMPLETE: "whether Windows takes a signature that brings no issuer of its certificate along",
        ProblemCode.CHAIN_LINK_INVALID: "whether Windows takes a chain with a certificate of the issuer's name and another key",
        ProblemCode.CURVE_NOT_NAMED: "whether Windows takes a key whose curve has no name",
        ProblemCode.CHAIN_TOO_LONG: "which chain Windows builds where the gate stopped looking for longer ones",
        ProblemCode.CHAIN_ISSUER_NOT_CA: "whether Windows takes a chain in which somebody issues certificates who is no CA",
        ProblemCode.CMS_NOT_DER: "whether Windows takes a signature that is encoded in BER instead of DER",
        ProblemCode.CMS_SIGNER_VERSION: "whether Windows takes a SignerInfo of another version than 1",
        ProblemCode.CMS_CERTIFICATE_MALFORMED: "what Windows makes of a certificate in the signature that cannot be read",
        ProblemCode.CMS_DATA_TYPE_UNUSUAL: "whether Windows takes a signature that was made for another kind of file",
        ProblemCode.WEAK_DIGEST: "whether Windows takes a signature that was made over a SHA-1 or MD5 digest",
        ProblemCode.CATALOG_FLAT_DIGEST: "whether Windows looks a program up in a catalog by the digest of the whole file",
        ProblemCode.NESTED_DEEP: "whether Windows looks at a signature that is nested in a nested one",
    }
)
"""Problems that leave a signature valid, yet leave open whether Windows takes it, or takes it with this chain."""
HIDING_PROBLEMS = MappingProxyType(
    {
        code: DOUBTFUL_PROBLEMS[code]
        for code in (
            ProblemCode.CHAIN_AMBIGUOUS,
            ProblemCode.CHAIN_TOO_LONG,
            ProblemCode.CHAIN_ISSUER_NOT_CA,
            ProblemCode.CMS_CERTIFICATE_MALFORMED,
        )
    }
    | {ProblemCode.NESTED_TOO_MANY: "who made the nested signatures that were not read"}
)
"""Problems behind which a denied or revoked signer may stand that is not among the facts."""

ECC_CONTRADICTION = (
    "whether Windows takes a signature with an elliptic-curve key: its documentation says that such files fail with "
    "VerificationError 23 (use RSA up to 4096 bits), yet it lists elliptic-curve roots among those it trusts"
)


def is_void(signature: SignatureFacts, context: AppControlContext) -> str | None:
    """Why a signature that is right in itself is void: revoked, or expired under the lifetime-signing EKU."""
    if context.revoked_sha256 and signature.chain is not None:
        for cert in signature.chain.certificates:
            if cert.thumbprint_sha256 in context.revoked_sha256:
                return f"the certificate of {cert.subject_cn or cert.subject!r} is revoked"
    leaf = signature.signer
    if leaf and leaf.eku and LIFETIME_SIGNING in leaf.eku and context.evaluated_at > leaf.not_after:
        return f"the certificate of {leaf.subject_cn or leaf.subject!r} has expired and bears the lifetime-signing EKU"
    return None


def hidden_signers(signature: SignatureFacts) -> str | None:
    """Why the signature may have, beside what the facts say, a certificate that a rule denies."""
    if not signature.problems:
        return None
    return next((HIDING_PROBLEMS[problem.code] for problem in signature.problems if problem.code in HIDING_PROBLEMS), None)


def is_usable(signature: SignatureFacts, view: ArtifactView, direction: Direction, minimum_hash: int | None) -> Answer:
    """Whether a signature counts for that direction."""
    if direction is ALLOW:
        conditions = _allow_conditions(signature, view, minimum_hash or DEFAULT_MINIMUM_HASH)
        return all_of(
            conditions if view.host is None else one_after_another(conditions, _host_conditions(signature, view, view.host))
        )
    return all_of(_deny_conditions(signature, view.context))


def _allow_conditions(signature: SignatureFacts, view: ArtifactView, minimum_hash: int) -> Iterator[Answer]:
    context = view.context
    if not signature.valid:
        yield no(f"the signature at {signature.place!r} does not hold")
    if (void := is_void(signature, context)) is not None:
        yield no(void)
    if view.embedded_gap is not None and signature.source is not _CATALOG:
        yield unknown(FACT, f"whether Windows finds the signature at {signature.place!r} ({view.embedded_gap})")
    yield from _standing(signature, view)
    for problem in signature.problems:
        if (what := DOUBTFUL_PROBLEMS.get(problem.code)) is not None:
            yield unknown(NOT_SPECIFIED, what)
    yield _digest_strength(signature, minimum_hash)
    chain = signature.chain
    if chain is None or signature.signer is None:
        return  # the root condition of every signer is unknown then
    standing = _STANDINGS.get(chain, signature.signer) or _standing_of(chain, signature.signer)
    yield standing.own
    if context.evaluated_at < signature.signer.not_before:
        yield unknown(NOT_SPECIFIED, "what Windows does while a signing certificate is not valid yet")
    if standing.asks_the_target:
        yield _root_trust(chain, context)
    if signature.timestamp is not None and not signature.timestamp.valid:
        yield unknown(NOT_SPECIFIED, "whether a broken time stamp spoils the signature that it stands in")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """What a chain alone says of the signatures that bear it."""

    own: Answer
    """Whether its keys and its purpose allow."""
    asks_the_target: bool
    """Its root is one that not every target trusts, or is named like one."""


_STANDINGS = PerChain[_Standing]()


def _standing_of(chain: ChainFacts, leaf: CertificateFacts) -> _Standing:
    root = chain_root_number(chain)
    top = chain.certificates[-1] if chain.certificates else None
    is_limited = root in TEST_ROOTS | FLIGHT_ROOTS if root is not None else top is not None and _is_named_limited(top)
    standing = _Standing(own=all_of((*_keys(chain), _purpose(leaf, chain))), asks_the_target=is_limited)
    return _STANDINGS.put(chain, leaf, standing)


def _is_named_limited(top: CertificateFacts) -> bool:
    """Where only the name tells, it makes no chain good, but it makes one doubtful."""
    return is_named_like_a_limited_root(top.issuer, top.issuer_cn)


def _host_conditions(signature: SignatureFacts, view: ArtifactView, host: str) -> Iterator[Answer]:
    """Hosts have WinVerifyTrust check a signature first: it wants a root that the machine trusts, and dates that hold.

    Sources: App Control docs, "Script enforcement with App Control"; Windows Server docs, "Required trusted root certificates".
    """
    context = view.context
    if view.signatures_gap is not None:
        yield unknown(FACT, f"whether {host} takes the signature for right ({view.signatures_gap})")
    chain, leaf = signature.chain, signature.signer
    if chain is None or leaf is None:
        yield unknown(FACT, "the certificate chain, whose root the machine must trust")
        return
    yield _machine_trust(chain, context, host)
    stamp = signature.timestamp
    is_stamped = stamp is not None and stamp.valid and stamp.time is not None and stamp.time <= leaf.not_after
    if context.evaluated_at > leaf.not_after and not is_stamped:
        yield unknown(
            NOT_SPECIFIED, f"whether {host} takes a signature without a valid time stamp whose certificate has expired"
        )


def _machine_trust(chain: ChainFacts, context: AppControlContext, host: str) -> Answer:
    if chain.end is ChainEnd.KNOWN_ROOT and chain.well_known_root in PRODUCT_ROOTS:
        return yes("")
    thumbprints = {cert.thumbprint_sha256 for cert in chain.certificates[1:]} | ({chain.root_sha256} - {None})
    trusted = (context.trusted_roots_sha256 or frozenset()) | (context.machine_roots_sha256 or frozenset())
    if thumbprints & trusted:
        return yes("")
    return unknown(
        CONTEXT,
        f"whether the machines trust the root of the chain (`trusted_roots`, `machine_roots`): {host} wants a trusted root beside the "
        "policy, unlike the loader of programs",
    )


def _standing(signature: SignatureFacts, view: ArtifactView) -> Iterator[Answer]:
    """Where the signature stands: Windows looks for embedded ones in the first table entry, and stops at a broken one for all we know."""
    is_embedded = signature.source in _IN_THE_FILE
    if is_embedded and signature.place != FIRST_ENTRY and signature.place.partition(".")[0] != FIRST_ENTRY:
        yield unknown(NOT_SPECIFIED, "whether Windows looks beyond the first entry of a certificate table")
    for other in view.signatures:
        if not other.valid and other.source is _EMBEDDED and other.place == FIRST_ENTRY:
            yield unknown(NOT_SPECIFIED, "whether another signature counts beside an embedded one that does not hold")


def _deny_conditions(signature: SignatureFacts, context: AppControlContext) -> Iterator[Answer]:
    if not signature.valid:
        yield unknown(NOT_SPECIFIED, "whether a denied signer counts where its signature is broken")
    if (void := is_void(signature, context)) is not None:
        yield unknown(NOT_SPECIFIED, f"whether a denied signer counts where its signature is void: {void}")
    if any(problem.code is ProblemCode.NESTED_DEEP for problem in signature.problems):
        yield unknown(NOT_SPECIFIED, DOUBTFUL_PROBLEMS[ProblemCode.NESTED_DEEP])
    chain = signature.chain
    if chain is not None:
        if any(cert.key_algorithm == "ec" for cert in chain.certificates):
            yield unknown(NOT_SPECIFIED, ECC_CONTRADICTION)
        if chain_root_number(chain) in TEST_ROOTS and not context.test_signing:
            yield unknown(NOT_SPECIFIED, "whether a denied signer counts under a test root that the target does not trust")


def _digest_strength(signature: SignatureFacts, minimum_hash: int) -> Answer:
    algorithm = signature.digest_algorithm
    if algorithm == "sha256":
        if minimum_hash <= DEFAULT_MINIMUM_HASH:
            return yes("")
        return unknown(NOT_SPECIFIED, "whether a SHA-256 signature meets the MinimumHashAlgorithm of the scenario")
    if algorithm == "sha1":
        return unknown(
            NOT_SPECIFIED,
            "whether Windows still takes a SHA-1 signature; neither cut-off nor MinimumHashAlgorithm is published in detail",
        )
    if algorithm in ("sha384", "sha512"):
        return unknown(NOT_SPECIFIED, f"whether Windows takes an image digest of {algorithm.upper()}")
    return no(f"the image digest is {algorithm or 'of no known kind'}, which is too weak")


def _keys(chain: ChainFacts) -> Iterator[Answer]:
    for cert in chain.certificates:
        if cert.key_algorithm == "ec" or "ecdsa" in cert.signature_algorithm:
            yield unknown(NOT_SPECIFIED, ECC_CONTRADICTION)
        elif cert.key_algorithm != "rsa":
            yield unknown(NOT_SPECIFIED, f"whether Windows takes keys of the kind {cert.key_algorithm}")
        elif cert.key_bits is None or not MIN_RSA_BITS <= cert.key_bits <= MAX_RSA_BITS:
            yield unknown(NOT_SPECIFIED, f"whether Windows takes an RSA key of {cert.key_bits or 'unknown'} bits")
        if not _is_top(cert, chain) and cert.tbs_algorithm in ("md5", "sha1"):
            yield unknown(
                NOT_SPECIFIED, f"whether Windows takes a certificate that was signed with {cert.tbs_algorithm.upper()}"
            )
    for issuer in chain.certificates[1:]:
        if not issuer.is_ca and not (issuer.is_ca is None and _is_top(issuer, chain)):
            yield unknown(
                NOT_SPECIFIED, f"whether Windows takes certificates of {issuer.subject_cn or issuer.subject!r}, which is no CA"
            )


def _is_top(cert: CertificateFacts, chain: ChainFacts) -> bool:
    """Whether it is the root of the chain, whose signature over itself proves nothing and need not be strong."""
    return cert.is_self_issued and cert is chain.certificates[-1]


def _purpose(leaf: CertificateFacts, chain: ChainFacts) -> Answer:
    """Microsoft's own chains are taken as they are."""
    is_microsofts = chain.end is ChainEnd.KNOWN_ROOT and chain.well_known_root is not None
    if is_microsofts and (leaf.eku is None or any(usage.startswith((CODE_SIGNING, MICROSOFT_USAGES)) for usage in leaf.eku)):
        return yes("")
    if leaf.eku is None or CODE_SIGNING not in leaf.eku:
        return unknown(NOT_SPECIFIED, "whether Windows takes a signing certificate without the code-signing EKU")
    if leaf.key_usage_digital_signature is False:
        return unknown(NOT_SPECIFIED, "whether Windows takes a signing certificate whose key usage forbids signatures")
    return yes("")


def is_trusted_authority(stamp: TimestampFacts, context: AppControlContext) -> bool:
    """Whether the chain of a time stamp ends where the target surely trusts it: a Microsoft product root, or a root of its list or the
    user's word."""
    chain = stamp.chain
    if chain is None:
        return False
    listed = context.trusted_roots_sha256 or frozenset[str]()
    if chain.end is ChainEnd.GIVEN_ROOT or any(cert.thumbprint_sha256 in listed for cert in chain.certificates):
        return True
    return chain.end is ChainEnd.KNOWN_ROOT and chain_root_number(chain) not in TEST_ROOTS | FLIGHT_ROOTS


def _root_trust(chain: ChainFacts, context: AppControlContext) -> Answer:
    root = chain_root_number(chain)
    if root in TEST_ROOTS and not context.test_signing:
        return no("the chain ends in a Microsoft test root, which only a machine with TESTSIGNING trusts")
    if root in FLIGHT_ROOTS and context.flight_signing is not True:
        if context.flight_signing is False:
            return no("the chain ends in a flight root, which the target does not trust")
        return unknown(CONTEXT, "whether the target trusts flight roots (`flight_signing`)")
    top = chain.certificates[-1] if chain.certificates else None
    is_limited = root is None and top is not None and _is_named_limited(top)
    if is_limited and top is not None and not (context.test_signing and context.flight_signing is True):
        return unknown(CONTEXT, f"whether the target trusts {top.issuer_cn or top.issuer!r} (`test_signing`, `flight_signing`)")
    return yes("")
