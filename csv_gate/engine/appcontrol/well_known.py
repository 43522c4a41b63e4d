"""The well-known roots that a policy names by number, and how one is ruled out.

A root is *identified* by its key, which the chain facts have done. It is *ruled out* by name: a chain whose top certificate was
issued by a name that is not Microsoft's cannot end in a Microsoft root, known to us or not.

Source: App Control docs, "Understanding App Control event tags" (Microsoft root CAs trusted by Windows).
"""

from __future__ import annotations

from types import MappingProxyType

from csv_gate.engine.appcontrol.truth import CONTEXT, FACT, NOT_SPECIFIED, Answer, no, unknown, yes
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import ChainEnd, ChainFacts

ROOT_NAMES = MappingProxyType(
    {
        0x03: "Microsoft Authenticode(tm) Root Authority",
        0x04: "Microsoft Root Authority",
        0x05: "Microsoft Root Certificate Authority",
        0x06: "Microsoft Root Certificate Authority 2010",
        0x07: "Microsoft Root Certificate Authority 2011",
        0x08: "Microsoft Code Verification Root",
        0x09: "Microsoft Test Root Authority",
        0x0A: "Microsoft Testing Root Certificate Authority 2010",
        0x0E: "Microsoft Development Root Certificate Authority 2014",
        0x10: "Microsoft ECC Testing Root Certificate Authority 2017",
        0x11: "Microsoft ECC Development Root Certificate Authority 2018",
        0x12: "Microsoft ECC Product Root Certificate Authority 2018",
        0x16: "Microsoft Identity Verification Root Certificate Authority 2020",
    }
)
"""Subject common names. The numbers that are missing (0B, 0C, 0D, 0F, 13, 15) have no name we could verify."""

TEST_ROOTS = frozenset({0x09, 0x0A, 0x0B, 0x10})
"""Trusted by a machine with TESTSIGNING on only."""
FLIGHT_ROOTS = frozenset({0x0D, 0x0E, 0x11})
"""Trusted by a machine that takes preview builds only."""
UNSPECIFIED = frozenset({0x00, 0x01, 0x02})
"""`none`, `unknown`, `self-signed`: what they match is not published."""
LAST_NUMBER = 0x16
"""The greatest number that was published; what a newer Windows calls by greater ones may be anybody's root."""
TRUST_LIST = 0x14
"""Any root of Microsoft's root programme."""
PRODUCT_ROOTS = frozenset({"04", "05", "06", "07"})
"""Roots that Microsoft's own products and driver signatures end in."""
OWN_TBS_ALGORITHM = MappingProxyType(
    {"03": "md5", "04": "md5", "05": "sha1", "06": "sha256", "07": "sha256", "09": "md5", "0A": "sha256", "0E": "sha256"}
    | dict.fromkeys(("10", "11", "12", "16"), "sha384")
)
"""The hash of each root's own signature: which of its TBS digests a rule would hold."""


def chain_root_number(chain: ChainFacts) -> int | None:
    return int(chain.well_known_root, 16) if chain.well_known_root else None


def is_named_like_a_limited_root(issuer: str, issuer_cn: str | None) -> bool:
    """Whether a chain's top was issued under the name of a Microsoft test or flight root, known to us or not."""
    name = (issuer_cn or issuer).casefold()
    limited = {ROOT_NAMES[number].casefold() for number in TEST_ROOTS | FLIGHT_ROOTS if number in ROOT_NAMES}
    return name in limited or (
        "microsoft" in name and any(word in name for word in ("test", "preview", "development", "flight"))
    )


def ends_in(number: int, chain: ChainFacts | None, context: AppControlContext) -> Answer:
    """Whether a chain ends in the well-known root of that number."""
    wanted = f"root {number:02X}" + (f" ({ROOT_NAMES[number]})" if number in ROOT_NAMES else "")
    if chain is None:
        return unknown(FACT, "the certificate chain")
    if number == TRUST_LIST:
        return _in_trust_list(chain, context)
    top = chain.certificates[-1] if chain.certificates else None
    actual = chain_root_number(chain)
    if number > LAST_NUMBER:
        return unknown(NOT_SPECIFIED, f"which root the well-known number {number:02X} of a policy means")
    if number in UNSPECIFIED:
        if chain.end is ChainEnd.KNOWN_ROOT:
            return no(f"the chain ends in a root that Windows knows, the rule wants {wanted}")
        return unknown(NOT_SPECIFIED, f"what the well-known root {number:02X} of a policy matches")
    if actual == number:
        return yes(f"the chain ends in {wanted}")
    if chain.end is ChainEnd.KNOWN_ROOT:
        return no(f"the chain ends in root {chain.well_known_root or 'without a number'}, the rule wants {wanted}")
    if top is None:
        return unknown(FACT, "the certificate chain")
    if _may_be(number, top.issuer, top.issuer_cn):
        return unknown(
            FACT,
            f"whether the chain ends in {wanted}: its top was issued by {top.issuer_cn or top.issuer!r}, whose key is not known here",
        )
    return no(f"the chain ends at {top.issuer_cn or top.issuer!r}, the rule wants {wanted}")


def _may_be(number: int, issuer: str, issuer_cn: str | None) -> bool:
    name = ROOT_NAMES.get(number)
    if name is not None and issuer_cn is not None:
        return issuer_cn.casefold() == name.casefold()
    if issuer_cn is not None and issuer_cn.casefold() in _NAMES:
        return False
    return "microsoft" in issuer.casefold()


_NAMES = frozenset(name.casefold() for name in ROOT_NAMES.values())


def _in_trust_list(chain: ChainFacts, context: AppControlContext) -> Answer:
    """Root 14 asks for the list of the target, which is context."""
    listed = context.trusted_roots_sha256
    if listed is None:
        return unknown(CONTEXT, "which roots the target's root programme holds (`trusted_roots`), for well-known root 14")
    if any(cert.thumbprint_sha256 in listed for cert in chain.certificates):
        return yes("the chain ends in a root of the target's list")
    if chain.certificates and chain.certificates[-1].is_self_issued:
        return no("the chain's root is not in the target's list, the rule wants a root of that list (14)")
    return unknown(FACT, "the root certificate of the chain, to look it up in the target's list (well-known root 14)")
