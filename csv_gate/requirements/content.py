"""What is asked of a whole file and of what is in it, rather than of the one signature that counts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import datetime

from csv_gate.lazy import regex
from csv_gate.model.facts import CertificateFacts, SignatureFacts, SignatureSource
from csv_gate.requirements.model import Demands, TestNames, can_be_signed
from csv_gate.requirements.seen import Seen
from csv_gate.requirements.signature import has_own_signature, of_signature, place_words, validity
from csv_gate.requirements.signers import TEST_ROOTS, certificates_of
from csv_gate.requirements.unmet import Unmet

_SHOWN = 5
_TEST = regex(r"(?<![a-z])test(?:s|ing)?(?![a-z])|^root agency$", re.IGNORECASE)
"""The word `test`, and the authority whose key comes with the makecert tool."""


def of_file(seen: Seen, demands: Demands, evaluated_at: datetime) -> Iterator[Unmet]:
    """Everything that is asked of the file beside its signature."""
    if demands.no_test is not None:
        yield from _no_test(seen, demands.no_test)
    if demands.all_valid:
        yield from _all_valid(seen)
    if demands.must_be_unsigned:
        yield from _unsigned(seen)
    if demands.listed is not None:
        yield from _listed(seen, demands.listed.catalogs)
    if demands.wanted:
        yield from _wanted(seen, demands, evaluated_at)
    if demands.no_unsigned_content:
        yield from _container(seen)


def of_member(seen: Seen, container: str, packages: Collection[str]) -> Iterator[Unmet]:
    """What a container that must hold nothing unsigned asks of one of its members, at any depth."""
    if seen.unread is not None:
        missing = f"content: {seen.unread.why}"
        yield Unmet(check="CSV410", because=f"it is in {container}, which must hold nothing unsigned", missing=missing)
        return
    if (closed := _closed(seen)) is not None:
        because = f"it is in {container}, which must hold nothing unsigned"
        yield Unmet(check="CSV410", because=because, missing=closed)
    if not can_be_signed(seen.facts.format, packages):
        return
    for one in of_signature(seen, Demands(signed=True), datetime.min):
        because = f"it is in {container}, which must hold nothing unsigned: {one.because}"
        yield Unmet(check="CSV410", because=because, missing=one.missing, help="sign it before it is packed")


def _no_test(seen: Seen, names: TestNames) -> Iterator[Unmet]:
    patterns = [re.compile(_translated(pattern), re.IGNORECASE) for pattern in names.patterns]
    for signature in seen.facts.signatures:
        where = place_words(signature)
        why = _why_test(signature, patterns)
        if why:
            help = "sign it with the release certificate; a certificate for tests is trusted on test machines alone"
            yield Unmet(check="CSV407", because=f"{where} is by a certificate for tests: {why}", help=help)
        elif signature.signer is None and signature.key is None:
            missing = f"the certificate of {where}"
            yield Unmet(check="CSV407", because=f"the signer of {where} is not readable", missing=missing)
    yield from _hidden(seen, "CSV407")


def _translated(pattern: str) -> str:
    from fnmatch import translate

    return translate(pattern)


def _why_test(signature: SignatureFacts, patterns: list[re.Pattern[str]]) -> str:
    chain = signature.chain
    if chain is not None and chain.well_known_root in TEST_ROOTS:
        return f"its chain ends in Microsoft's root {chain.well_known_root}, for test machines"
    certificates = certificates_of(signature)
    if certificates and certificates[0].is_self_issued:
        return f"{certificates[0].subject} vouches for itself"
    for name in _names(certificates):
        if _TEST.search(name) or any(pattern.match(name) for pattern in patterns):
            return f"the name {name}"
    return ""


def _names(certificates: tuple[CertificateFacts, ...]) -> Iterator[str]:
    for one in certificates:
        yield from (one.subject_cn or "", one.subject)
    if certificates:
        yield from (certificates[-1].issuer_cn or "", certificates[-1].issuer)


def _all_valid(seen: Seen) -> Iterator[Unmet]:
    for signature in seen.facts.signatures:
        broken = validity(signature)
        if broken is not None:
            yield broken
    yield from _hidden(seen, "CSV409")


def _unsigned(seen: Seen) -> Iterator[Unmet]:
    if has_own_signature(seen.facts):
        first = next(one for one in seen.facts.signatures if one.source is not SignatureSource.CATALOG)
        because = f"it must stay unsigned, and has {place_words(first)}"
        yield Unmet(check="CSV413", because=because, help="take it out of what the signing step is given")
    else:
        yield from _hidden(seen, "CSV413")


def _hidden(seen: Seen, check: str) -> Iterator[Unmet]:
    if seen.hidden is not None:
        missing = f"{seen.hidden.what.value}: {seen.hidden.why}"
        yield Unmet(check=check, because="it may have a signature that was not seen", missing=missing)


def _listed(seen: Seen, catalogs: frozenset[str]) -> Iterator[Unmet]:
    listing = [one for one in seen.all_facts.signatures if one.catalog_sha256 in catalogs]
    if any(one.valid for one in listing):
        return
    help = "make the catalog anew, after the last change of what it lists"
    if listing:
        yield Unmet(check="CSV412", because=f"{place_words(listing[0])} lists it and is not valid", help=help)
    elif seen.hidden is not None:
        missing = f"{seen.hidden.what.value}: {seen.hidden.why}"
        yield Unmet(check="CSV412", because="no catalog is known to list it", missing=missing)
    else:
        yield Unmet(check="CSV412", because="none of the catalogs lists it", help=help)


def _wanted(seen: Seen, demands: Demands, evaluated_at: datetime) -> Iterator[Unmet]:
    rows = [row for row in demands.wanted if row.paths.matches(seen.scope)]
    if not rows:
        help = "find out where it comes from; then name it in the list, with who signs it"
        yield Unmet(check="CSV414", because="the list of foreign files does not name it", help=help)
    for row in rows:
        yield from of_signature(seen, Demands(signed_by=row.signers), evaluated_at)


def _closed(seen: Seen) -> str | None:
    """What is missing of a file that holds others, where not all of them were looked at."""
    if not seen.holds_members or (seen.is_opened and seen.unopened is None):
        return None
    why = seen.unopened.why if seen.unopened else "containers of this format are not opened, or the run was told not to"
    return f"what is inside: {why}"


def _container(seen: Seen) -> Iterator[Unmet]:
    facts = seen.facts
    if not seen.holds_members:
        return
    if (closed := _closed(seen)) is not None:
        yield Unmet(check="CSV410", because="it must hold nothing unsigned", missing=closed)
    yield from _hidden(seen, "CSV411")
    package = facts.package
    if package is None:
        return
    own = [one for one in facts.signatures if one.source is not SignatureSource.CATALOG]
    help = "sign the package after its last change"
    if own and not any(one.valid for one in own):
        yield Unmet(check="CSV411", because="its own signature is not valid, so nothing in it is covered", help=help)
    elif package.uncovered_count:
        more = package.uncovered_count - len(package.uncovered[:_SHOWN])
        names = ", ".join(package.uncovered[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        yield Unmet(check="CSV411", because=f"its own signature does not cover {names}", help=help)
