"""Which signatures count: for allowing only those that Windows takes for sure, for denying every one that it might.

An expired certificate does not matter, with or without a time stamp, unless it carries the lifetime-signing EKU. PE code needs no
trusted root. What is published contradicts itself or stays silent for elliptic curves, SHA-1 and SHA-384/512 digests, small keys,
leaves that are not meant for code, issuers that are no CA, and broken time stamps: those allow nothing on their own.

Sources: App Control docs, "Understand App Control policy rules and file rules" (signers, option 20), "Understanding App Control event
tags" (VerificationError), "Use signed policies" (key sizes), "App Control admin tips and known issues".
"""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.engine.appcontrol.truth import CONTEXT, FACT, NOT_SPECIFIED, Answer, Direction, all_of, no, unknown, yes
from csv_gate.engine.appcontrol.well_known import FLIGHT_ROOTS, PRODUCT_ROOTS, TEST_ROOTS, chain_root_number
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import CertificateFacts, ChainEnd, ChainFacts, SignatureFacts

CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
LIFETIME_SIGNING = "1.3.6.1.4.1.311.10.3.13"
DEFAULT_MINIMUM_HASH = 0x800C
"""SHA-256: what a compiled policy stores where the scenario names none."""
MAX_RSA_BITS = 4096
MIN_RSA_BITS = 2048

ECC_CONTRADICTION = (
    "whether Windows takes a signature with an elliptic-curve key: its documentation says that such files fail with "
    "VerificationError 23 (use RSA up to 4096 bits), yet it lists elliptic-curve roots among those it trusts"
)


def is_void(signature: SignatureFacts, context: AppControlContext) -> str | None:
    """Why a signature that is right in itself is void: revoked, or expired under the lifetime-signing EKU."""
    certificates = signature.chain.certificates if signature.chain else ()
    for cert in certificates:
        if cert.thumbprint_sha256 in context.revoked_sha256:
            return f"the certificate of {cert.subject_cn or cert.subject!r} is revoked"
    leaf = signature.signer
    if leaf and leaf.eku and LIFETIME_SIGNING in leaf.eku and context.evaluated_at > leaf.not_after:
        return f"the certificate of {leaf.subject_cn or leaf.subject!r} has expired and bears the lifetime-signing EKU"
    return None


def is_usable(
    signature: SignatureFacts,
    context: AppControlContext,
    direction: Direction,
    minimum_hash: int | None,
    *,
    host: str | None = None,
    gap: str | None = None,
) -> Answer:
    """Whether a signature counts for that direction. `host`: the script host or installer that looks at it; `gap`: why it may see other
    signatures than are told."""
    if direction is Direction.ALLOW:
        hosted = () if host is None else _host_conditions(signature, context, host, gap)
        return all_of((*_allow_conditions(signature, context, minimum_hash or DEFAULT_MINIMUM_HASH), *hosted))
    return all_of(_deny_conditions(signature, context))


def _allow_conditions(signature: SignatureFacts, context: AppControlContext, minimum_hash: int) -> Iterator[Answer]:
    if not signature.valid:
        yield no(f"the signature at {signature.place!r} does not hold")
    if (void := is_void(signature, context)) is not None:
        yield no(void)
    yield _digest_strength(signature, minimum_hash)
    chain = signature.chain
    if chain is None or signature.signer is None:
        return  # the root condition of every signer is unknown then
    yield from _keys(chain)
    yield _purpose(signature.signer, chain)
    if context.evaluated_at < signature.signer.not_before:
        yield unknown(NOT_SPECIFIED, "what Windows does while a signing certificate is not valid yet")
    yield _root_trust(chain, context)
    if signature.timestamp is not None and not signature.timestamp.valid:
        yield unknown(NOT_SPECIFIED, "whether a broken time stamp spoils the signature that it stands in")


def _host_conditions(signature: SignatureFacts, context: AppControlContext, host: str, gap: str | None) -> Iterator[Answer]:
    """Hosts have WinVerifyTrust check a signature first: it wants a root that the machine trusts, and dates that hold.

    Sources: App Control docs, "Script enforcement with App Control"; Windows Server docs, "Required trusted root certificates".
    """
    if gap is not None:
        yield unknown(FACT, f"whether {host} takes the signature for right ({gap})")
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


def _deny_conditions(signature: SignatureFacts, context: AppControlContext) -> Iterator[Answer]:
    if not signature.valid:
        yield unknown(NOT_SPECIFIED, "whether a denied signer counts where its signature is broken")
    if (void := is_void(signature, context)) is not None:
        yield unknown(NOT_SPECIFIED, f"whether a denied signer counts where its signature is void: {void}")
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
        if cert.key_algorithm == "ec":
            yield unknown(NOT_SPECIFIED, ECC_CONTRADICTION)
        elif cert.key_algorithm != "rsa":
            yield unknown(NOT_SPECIFIED, f"whether Windows takes keys of the kind {cert.key_algorithm}")
        elif cert.key_bits is None or not MIN_RSA_BITS <= cert.key_bits <= MAX_RSA_BITS:
            yield unknown(NOT_SPECIFIED, f"whether Windows takes an RSA key of {cert.key_bits or 'unknown'} bits")
        if not cert.is_self_issued and cert.tbs_algorithm in ("md5", "sha1"):
            yield unknown(
                NOT_SPECIFIED, f"whether Windows takes a certificate that was signed with {cert.tbs_algorithm.upper()}"
            )
    for issuer in chain.certificates[1:]:
        if not issuer.is_ca and not issuer.is_self_issued:
            yield unknown(
                NOT_SPECIFIED, f"whether Windows takes certificates of {issuer.subject_cn or issuer.subject!r}, which is no CA"
            )


def _purpose(leaf: CertificateFacts, chain: ChainFacts) -> Answer:
    """Microsoft's own chains are taken as they are."""
    if chain.end is ChainEnd.KNOWN_ROOT and chain.well_known_root is not None:
        return yes("")
    if leaf.eku is not None and CODE_SIGNING not in leaf.eku:
        return unknown(NOT_SPECIFIED, "whether Windows takes a signing certificate without the code-signing EKU")
    if leaf.key_usage_digital_signature is False:
        return unknown(NOT_SPECIFIED, "whether Windows takes a signing certificate whose key usage forbids signatures")
    return yes("")


def _root_trust(chain: ChainFacts, context: AppControlContext) -> Answer:
    root = chain_root_number(chain)
    if root in TEST_ROOTS and not context.test_signing:
        return no("the chain ends in a Microsoft test root, which only a machine with TESTSIGNING trusts")
    if root in FLIGHT_ROOTS and context.flight_signing is not True:
        if context.flight_signing is False:
            return no("the chain ends in a flight root, which the target does not trust")
        return unknown(CONTEXT, "whether the target trusts flight roots (`flight_signing`)")
    return yes("")
