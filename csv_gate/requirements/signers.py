"""Named signers, and whether a signature is one of theirs.

A name in a certificate is worth what the chain above it is worth: anybody can make a certificate that bears the name of a build system.
So names alone fit only below a root that is known or was given; a thumbprint or the hash of a certificate's signed part (TBS) needs none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from csv_gate.model.facts import CertificateFacts, ChainEnd, ChainFacts, KeyFacts, SignatureFacts, SignatureScheme
from csv_gate.records import dataclass

CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
"""id-kp-codeSigning (RFC 5280, section 4.2.1.12)."""
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
"""id-kp-timeStamping."""
TEST_ROOTS = frozenset({"0A", "0E"})
"""Well-known numbers of Microsoft's roots for test machines and for preview builds."""
_ANCHORED = (ChainEnd.KNOWN_ROOT, ChainEnd.GIVEN_ROOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Whether a signature is a signer's: yes where both are empty."""

    differs: str = ""
    missing: str = ""
    """What would decide."""

    @property
    def is_yes(self) -> bool:
        return not self.differs and not self.missing


YES = Fit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs. Of one kind any entry suffices; the kinds that are stated must all hold. Hex is lower-case."""

    name: str
    subject: tuple[str, ...] = ()
    """Patterns with `*` and `?` over the leaf's distinguished name (RFC 4514)."""
    cn: tuple[str, ...] = ()
    """Patterns over the leaf's common name."""
    issuer: tuple[str, ...] = ()
    """Patterns over the distinguished or common name of the leaf's issuer."""
    thumbprint: tuple[str, ...] = ()
    """SHA-1 or SHA-256 of the leaf."""
    tbs: tuple[str, ...] = ()
    """Hashes of the signed part of any certificate of the chain, root included."""
    fingerprint: tuple[str, ...] = ()
    """Of the primary OpenPGP key."""
    identity: tuple[str, ...] = ()
    """Patterns over the identities of a sigstore certificate."""
    identity_issuer: tuple[str, ...] = ()
    for_time_stamps: bool = False
    """Of a time stamp: its certificate is for that, not for code."""

    def fits(self, signature: SignatureFacts) -> Fit:
        """Whether the signature's signer is this one. Says nothing of the signature's validity."""
        if self.fingerprint:
            return self._key_fits(signature.key)
        if self.identity:
            return self._identity_fits(signature)
        if signature.signer is None:
            return Fit(
                differs="it is made with a key that has no certificate" if signature.key else "its signer is not readable"
            )
        return self._certificate_fits(signature.signer, signature)

    def _key_fits(self, key: KeyFacts | None) -> Fit:
        if key is None:
            return Fit(differs="it is not made with an OpenPGP key")
        if key.is_given and key.fingerprint in self.fingerprint:
            return YES
        if not key.is_given:  # it may be a subkey of any
            return Fit(missing=f"the key {key.key_id}, which was not given")
        return Fit(differs=f"it is made with the key {key.fingerprint or key.key_id}")

    def _identity_fits(self, signature: SignatureFacts) -> Fit:
        key = signature.key
        if signature.scheme is not SignatureScheme.SIGSTORE or key is None:
            return Fit(differs="it is no sigstore signature")
        if not any(_matches(one, self.identity) for one in key.user_ids):
            return Fit(differs=f"its identity is {', '.join(key.user_ids) or 'not stated'}")
        if key.identity_issuer is None:
            return Fit(missing="who vouches for the identity")
        if not _matches(key.identity_issuer, self.identity_issuer):
            return Fit(differs=f"{key.identity_issuer} vouches for its identity")
        return YES

    def _certificate_fits(self, leaf: CertificateFacts, signature: SignatureFacts) -> Fit:
        for what, patterns, values in (
            ("subject", self.subject, (leaf.subject,)),
            ("common name", self.cn, (leaf.subject_cn,)),
            ("issuer", self.issuer, (leaf.issuer, leaf.issuer_cn)),
        ):
            if patterns and not any(_matches(value, patterns) for value in values):
                return Fit(differs=f"its {what} is {values[0] or 'empty'}")
        if self.thumbprint and not {leaf.thumbprint_sha1, leaf.thumbprint_sha256} & set(self.thumbprint):
            return Fit(differs=f"its certificate has the thumbprint {leaf.thumbprint_sha256}")
        if self.tbs and not (fit := self._tbs_fits(leaf, signature.chain)).is_yes:
            return fit
        return (
            YES
            if self.thumbprint or self.tbs
            else _anchored(leaf, signature, TIME_STAMPING if self.for_time_stamps else CODE_SIGNING)
        )

    def _tbs_fits(self, leaf: CertificateFacts, chain: ChainFacts | None) -> Fit:
        if _has(leaf, self.tbs):
            return YES
        issuers = () if chain is None else chain.certificates[1:]
        if any(_has(one, self.tbs) for one in issuers) or (chain is not None and set(chain.root_tbs.values()) & set(self.tbs)):
            return YES if chain is None else _delegated(chain)
        if chain is None or chain.end is ChainEnd.INCOMPLETE:
            return Fit(missing="the upper end of its chain, in which the hash may be")
        return Fit(differs=f"no certificate of its chain has the hash; its signer is {leaf.subject}")


def first_fit(signers: Iterable[Signer], signature: SignatureFacts) -> Fit:
    """The best answer over several signers: yes, then open, then no."""
    fits = [signer.fits(signature) for signer in signers]
    return next((fit for fit in fits if fit.is_yes), None) or next((fit for fit in fits if not fit.differs), None) or fits[0]


def certificates_of(signature: SignatureFacts) -> tuple[CertificateFacts, ...]:
    """Leaf first, as far as known."""
    if signature.chain is not None:
        return signature.chain.certificates
    return () if signature.signer is None else (signature.signer,)


def _has(certificate: CertificateFacts, hashes: tuple[str, ...]) -> bool:
    return any(value in hashes for value in certificate.tbs.values())


def _delegated(chain: ChainFacts) -> Fit:
    """Every certificate above the leaf may issue others; else whoever holds any certificate below could make any name."""
    for one in chain.certificates[1:]:
        if one.is_ca is not True and not (one.is_ca is None and one.is_self_issued):
            return Fit(differs=f"{one.subject} issued a certificate of its chain and is no authority")
    return YES


def _anchored(leaf: CertificateFacts, signature: SignatureFacts, purpose: str) -> Fit:
    chain = signature.chain
    if signature.scheme is not SignatureScheme.CMS and leaf.eku is not None and purpose not in leaf.eku:
        return Fit(differs="the name fits, but its certificate is not meant for that")
    if chain is None or chain.end is ChainEnd.INCOMPLETE:
        return Fit(missing="the root of its chain: the name fits, and anybody can make a name")
    if chain.end not in _ANCHORED or chain.well_known_root in TEST_ROOTS:
        return Fit(differs="the name fits, but its chain ends in a root that nobody vouches for")
    return _delegated(chain)


def _matches(value: str | None, patterns: tuple[str, ...]) -> bool:
    return value is not None and any(fnmatchcase(value, pattern) for pattern in patterns)


def names_of(signers: Iterable[Signer]) -> Iterator[str]:
    return (signer.name for signer in signers)
