"""What is asked of one signature, and of which signature it is asked.

One and the same signature has to meet everything: signed by the right one *and* with a time stamp, not the one here and the other there.
Of several signatures the one that comes nearest is told of. A file with both a SHA-1 and a SHA-256 signature meets `sha256`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from csv_gate.model.facts import Facts, SignatureFacts, SignatureSource, TimestampKind
from csv_gate.records import replace
from csv_gate.requirements.model import Demands
from csv_gate.requirements.seen import Seen
from csv_gate.requirements.signers import first_fit, names_of
from csv_gate.requirements.unmet import Unmet

DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
"""Weakest first."""
STRONG_KEYS = frozenset({"ed25519", "ed448"})
KEY_KINDS = {"rsa": "rsa", "rsa_pss": "rsa", "ec": "ec", "ecdsa": "ec"}
"""As certificates and OpenPGP keys name them."""
_SHOWN = 3


def of_signature(seen: Seen, demands: Demands, evaluated_at: datetime) -> tuple[Unmet, ...]:
    """What the signature that counts does not meet; empty: a signature meets it all, or nothing is asked of signatures."""
    leading = leading_check(demands)
    facts = seen.facts
    if leading is None or (demands.if_signed and not facts.signatures and seen.hidden is None):
        return ()
    attempts = [tuple(_unmet(signature, demands, evaluated_at, leading)) for signature in facts.signatures]
    if () in attempts:
        return ()
    open_only = [attempt for attempt in attempts if all(one.is_open for one in attempt)]
    if open_only:
        return min(open_only, key=len)
    if seen.hidden is not None:
        missing = f"{seen.hidden.what.value}: {seen.hidden.why}"
        return (Unmet(check=leading, because="a signature that was not seen may meet it", missing=missing),)
    if not attempts:
        return (Unmet(check=leading, because=f"it has no signature{_wished(demands)}", help=_HELP[leading]),)
    nearest = min(attempts, key=_distance)
    return tuple(one for one in nearest if not one.is_open)


def leading_check(demands: Demands) -> str | None:
    """The check that fires where no signature is one that could count; `None`: nothing is asked of signatures."""
    asked = (
        (demands.signed, "CSV400"),
        (demands.signed_by, "CSV401"),
        (demands.schemes, "CSV402"),
        (demands.roles, "CSV403"),
        (demands.timestamp, "CSV404"),
        (demands.min_digest, "CSV405"),
        (demands.min_key_bits, "CSV406"),
        (demands.expiry, "CSV408"),
    )
    return next((check for wish, check in asked if wish), None)


def _distance(attempt: tuple[Unmet, ...]) -> tuple[int, int]:
    """Fewest steps from being met, those first that say whose signature it is."""
    broken = [one for one in attempt if not one.is_open]
    gravest = min((_ORDER.index(one.check) for one in broken), default=len(_ORDER))
    return (-gravest, len(broken))


_ORDER = ("CSV400", "CSV402", "CSV403", "CSV401", "CSV404", "CSV405", "CSV406", "CSV408")


def _wished(demands: Demands) -> str:
    if demands.signed_by:
        return f", and has to be signed by {' or '.join(names_of(demands.signed_by))}"
    return ""


def _unmet(signature: SignatureFacts, demands: Demands, evaluated_at: datetime, leading: str) -> Iterator[Unmet]:
    """Whose it is first; only of a signature that could count is more asked."""
    doubts = tuple(_not_counting(signature, demands, leading))
    broken = next((one for one in doubts if not one.is_open), None)
    if broken is not None:
        yield broken
        return
    yield from doubts
    for ask in (_timestamp, _digest, _key, _expiry):
        yield from ask(signature, demands, evaluated_at)


def _not_counting(signature: SignatureFacts, demands: Demands, leading: str) -> Iterator[Unmet]:
    where = place_words(signature)
    broken = validity(signature)
    if broken is not None and not broken.is_open:
        yield replace(broken, check=leading, help=broken.help or _HELP[leading])
    if demands.schemes and signature.scheme not in demands.schemes:
        wanted = " or ".join(sorted(demands.schemes))
        yield Unmet(check="CSV402", because=f"{where} is of scheme {signature.scheme.value}, and has to be of {wanted}")
    if demands.roles and signature.role not in demands.roles:
        wanted = " or ".join(sorted(demands.roles))
        yield Unmet(check="CSV403", because=f"{where} is made as {signature.role or 'nobody in particular'}, not as {wanted}")
    if demands.signed_by and not (fit := first_fit(demands.signed_by, signature)).is_yes:
        wanted = " or ".join(names_of(demands.signed_by))
        yield Unmet(
            check="CSV401",
            because=f"{where} is not known to be by {wanted}" if fit.missing else f"{where} is not by {wanted}: {fit.differs}",
            missing=fit.missing or None,
            help="" if fit.missing else _HELP["CSV401"],
        )
    elif broken is not None:
        yield replace(broken, check=leading)


def validity(signature: SignatureFacts) -> Unmet | None:
    """Whether the signature itself holds. One that could not be compared, or whose key nobody gave, is open."""
    if signature.valid:
        return None
    where = place_words(signature)
    if signature.digest_matches is False:
        return Unmet(check="CSV409", because=f"{where} is not valid: the file is not what was signed")
    if signature.key is not None and not signature.key.is_given:
        missing = f"the key {signature.key.key_id} of {where}"
        return Unmet(check="CSV409", because=f"{where} could not be verified", missing=missing, help="give the key")
    if signature.digest_matches is None and not signature.problems:
        return Unmet(check="CSV409", because=f"{where} could not be compared", missing=f"the digest that {where} signs")
    return Unmet(check="CSV409", because=f"{where} is not valid: {_problem(signature)}")


def _problem(signature: SignatureFacts) -> str:
    return (signature.problems[0].detail or signature.problems[0].code.value) if signature.problems else "it does not verify"


def place_words(signature: SignatureFacts) -> str:
    if signature.source is SignatureSource.CATALOG:
        return f"the signature by catalog {signature.place}"
    return f"the {signature.source.value} signature {signature.place}"


def _timestamp(signature: SignatureFacts, demands: Demands, evaluated_at: datetime) -> Iterator[Unmet]:
    del evaluated_at
    wish, stamp = demands.timestamp, signature.timestamp
    if wish is None:
        return
    where, help = place_words(signature), _HELP["CSV404"]
    if stamp is None:
        yield Unmet(check="CSV404", because=f"{where} has no time stamp", help=help)
    elif not stamp.valid:
        yield Unmet(check="CSV404", because=f"the time stamp of {where} does not count", help=help)
    elif wish.is_rfc3161 and stamp.kind is not TimestampKind.RFC3161:
        yield Unmet(check="CSV404", because=f"the time stamp of {where} is of the older kind, not RFC 3161", help=help)
    elif wish.signers:
        as_signature = replace(signature, signer=stamp.signer, chain=stamp.chain, key=None)
        fit = first_fit([replace(signer, for_time_stamps=True) for signer in wish.signers], as_signature)
        if not fit.is_yes:
            because = f"the time stamp of {where} is not by {' or '.join(names_of(wish.signers))}: {fit.differs or 'not known'}"
            yield Unmet(check="CSV404", because=because, missing=fit.missing or None, help=help)


def _digest(signature: SignatureFacts, demands: Demands, evaluated_at: datetime) -> Iterator[Unmet]:
    del evaluated_at
    if demands.min_digest is None:
        return
    where, used = place_words(signature), signature.digest_algorithm
    if used not in DIGESTS:
        missing = f"the strength of {used}" if used else f"the digest algorithm of {where}"
        yield Unmet(check="CSV405", because=f"{where} uses {used or 'an unknown digest'}", missing=missing)
    elif DIGESTS.index(used) < DIGESTS.index(demands.min_digest):
        because = f"{where} uses {used}, and has to use {demands.min_digest} or stronger"
        yield Unmet(check="CSV405", because=because, help=_HELP["CSV405"])


def _key(signature: SignatureFacts, demands: Demands, evaluated_at: datetime) -> Iterator[Unmet]:
    del evaluated_at
    wish = demands.min_key_bits
    if wish is None:
        return
    signer, key, where = signature.signer, signature.key, place_words(signature)
    algorithm = signer.key_algorithm if signer else key.algorithm if key else None
    bits = signer.key_bits if signer else key.bits if key else None
    if algorithm in STRONG_KEYS:
        return
    least = {"rsa": wish.rsa, "ec": wish.ec}.get(KEY_KINDS.get(algorithm or "", ""), 0)
    if least is None:
        return
    if least == 0 or bits is None:
        missing = f"the strength of the key of {where}"
        yield Unmet(check="CSV406", because=f"the key of {where} is of kind {algorithm or 'unknown'}", missing=missing)
    elif bits < least:
        because = f"the {algorithm} key of {where} has {bits} bits, and has to have {least}"
        yield Unmet(check="CSV406", because=because, help=_HELP["CSV406"])


def _expiry(signature: SignatureFacts, demands: Demands, evaluated_at: datetime) -> Iterator[Unmet]:
    wish, leaf = demands.expiry, signature.signer
    if wish is None:
        return
    where = place_words(signature)
    if leaf is None:
        missing = f"until when the key of {where} holds"
        yield Unmet(check="CSV408", because=f"{where} has no certificate, which would tell", missing=missing)
        return
    is_stamped = signature.timestamp is not None and signature.timestamp.valid
    if is_stamped and not wish.is_always:
        return
    if leaf.not_after - evaluated_at < timedelta(days=wish.days):
        day = leaf.not_after.date().isoformat()
        ends = "expired" if leaf.not_after < evaluated_at else "expires"
        stamp = "" if is_stamped else ", and no valid time stamp outlasts it"
        because = f"the certificate of {where} {ends} on {day}{stamp}"
        yield Unmet(check="CSV408", because=because, help=_HELP["CSV408"])


_HELP = {
    "CSV400": "sign it, or take it out of the set if it is not meant",
    "CSV401": "sign it with the certificate that the set names; a file that only that process may sign shows that it went through it",
    "CSV402": "sign it by the scheme that is asked for",
    "CSV403": "have it signed in the role that is asked for",
    "CSV404": "have a time-stamping authority counter-sign it (RFC 3161)",
    "CSV405": "sign it anew with a stronger digest",
    "CSV406": "sign it with a certificate whose key is longer",
    "CSV408": "add a time stamp while the certificate is valid, or sign with a certificate that lasts longer",
}


def has_own_signature(facts: Facts) -> bool:
    """Whether the file itself was signed; that a catalog lists it changes nothing about it."""
    return any(signature.source is not SignatureSource.CATALOG for signature in facts.signatures)
