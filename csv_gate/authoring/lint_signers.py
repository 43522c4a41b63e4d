"""Lint of signers: weak, odd, test and flight roots, and signers that allow more than their author may think.

Sources: App Control docs, "Understanding App Control event tags" (well-known roots), "Understand App Control policy rules and file
rules" (signer levels, RSA only).
"""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.authoring.subject import Subject, finding
from csv_gate.authoring.words import TBS_ALGORITHMS, Direction, root_words, scenario_name
from csv_gate.engine.appcontrol.well_known import FLIGHT_ROOTS, TEST_ROOTS, UNSPECIFIED
from csv_gate.model.appcontrol import Option, RootKind, Signer
from csv_gate.model.facts import CertificateFacts
from csv_gate.model.result import Finding

_ECC_ROOTS = frozenset({0x10, 0x11, 0x12, 0x13})
_LAST_ROOT = 0x16
_COM_PROVIDERS = frozenset({"PowerShell", "WSH", "IE", "VBA", "MSI", "AllHostIds"})


def _well_known(signer: Signer) -> int | None:
    return signer.root.value[0] if signer.root.kind is RootKind.WELL_KNOWN and len(signer.root.value) == 1 else None


def tbs_weak(subject: Subject) -> Iterator[Finding]:
    """CSV661"""
    for signer in subject.allowed_signers():
        if signer.root.kind is RootKind.TBS and len(signer.root.value) in (16, 20):
            yield finding(
                "CSV661",
                f"{signer.id} names a certificate by a {TBS_ALGORITHMS[len(signer.root.value)]} TBS hash: the certificate itself is signed "
                "with that hash, which can be forged",
                signer.place,
                help="allow the successor of the certificate that is signed with SHA-256, and remove this one when nothing needs it",
            )


def root_ecc(subject: Subject) -> Iterator[Finding]:
    """CSV662"""
    for signer in subject.allowed_signers():
        if _well_known(signer) in _ECC_ROOTS:
            yield finding(
                "CSV662",
                f"{signer.id} allows {root_words(signer.root)}, an ECC root: App Control is documented to fail ECC signatures",
                signer.place,
                help="sign with RSA, up to 4096 bits, and allow that chain",
            )


def certificate_ecc(subject: Subject) -> Iterator[Finding]:
    """CSV673"""
    for signer, certificate in _at_hand(subject):
        if certificate.key_algorithm == "ec":
            yield finding(
                "CSV673",
                f"{signer.id} allows {certificate.subject_cn or certificate.subject!r}, whose key is elliptic-curve: App Control is "
                "documented to fail ECC signatures",
                signer.place,
                help="sign with RSA, up to 4096 bits, and allow that certificate",
            )


def certificate_expired(subject: Subject) -> Iterator[Finding]:
    """CSV672"""
    for signer, certificate in _at_hand(subject):
        if subject.evaluated_at is not None and certificate.not_after < subject.evaluated_at:
            yield finding(
                "CSV672",
                f"{signer.id} allows {certificate.subject_cn or certificate.subject!r}, which expired on "
                f"{certificate.not_after.date().isoformat()}: nothing new can be signed under it",
                signer.place,
                help="allow its successor too, and remove this signer when nothing that it signed is deployed",
            )


def _at_hand(subject: Subject) -> Iterator[tuple[Signer, CertificateFacts]]:
    for signer in subject.allowed_signers():
        certificate = subject.certificates.get(signer.root.value.hex()) if signer.root.kind is RootKind.TBS else None
        if certificate is not None:
            yield signer, certificate


def root_test(subject: Subject) -> Iterator[Finding]:
    """CSV663"""
    for signer in subject.allowed_signers():
        if _well_known(signer) in TEST_ROOTS:
            yield finding(
                "CSV663",
                f"{signer.id} allows {root_words(signer.root)}, a test root: it counts on test-signing machines only",
                signer.place,
                help="remove it from a policy for production",
            )


def root_flight(subject: Subject) -> Iterator[Finding]:
    """CSV664"""
    if Option.DISABLED_FLIGHT_SIGNING not in subject.policy.options:
        return
    for signer in subject.allowed_signers():
        if _well_known(signer) in FLIGHT_ROOTS:
            yield finding(
                "CSV664",
                f"{signer.id} allows {root_words(signer.root)} for preview builds, which option 4 (Disabled:Flight Signing) stops",
                signer.place,
                help="remove the signer or option 4",
            )


def signer_broad(subject: Subject) -> Iterator[Finding]:
    """CSV665"""
    for signer in subject.allowed_signers():
        number = _well_known(signer)
        is_narrowed = signer.ekus or signer.issuer or signer.publisher or signer.oem_id or signer.file_attributes
        if number is not None and number not in UNSPECIFIED | TEST_ROOTS and not is_narrowed:
            yield finding(
                "CSV665",
                f"{signer.id} allows whatever is signed under {root_words(signer.root)}",
                signer.place,
                help="narrow it with CertPublisher, CertEKU, CertIssuer or FileAttribRef",
            )


def root_unspecified(subject: Subject) -> Iterator[Finding]:
    """CSV666"""
    for _, _, signer in subject.uses(Direction.ALLOW):
        number = _well_known(signer)
        if number in UNSPECIFIED and not signer.ekus:
            yield finding(
                "CSV666",
                f"{signer.id} names {root_words(signer.root)}: what it matches is not published",
                signer.place,
                help="name the certificate by its TBS hash",
            )


def root_odd(subject: Subject) -> Iterator[Finding]:
    """CSV667"""
    for signer in subject.policy.signers.values():
        value = signer.root.value
        if signer.root.kind is RootKind.TBS and len(value) not in TBS_ALGORITHMS:
            yield finding(
                "CSV667",
                f"the CertRoot of {signer.id} has {len(value)} octets, the length of no hash: it matches nothing"
                if value
                else f"the CertRoot of {signer.id} is empty: Windows ignores the whole policy",
                signer.place,
                help="write the whole TBS hash (32, 40, 64, 96 or 128 hexadecimal digits)",
            )
        if signer.root.kind is RootKind.WELL_KNOWN and (len(value) != 1 or value[0] > _LAST_ROOT):
            yield finding(
                "CSV667",
                f"the well-known root {signer.root.text} of {signer.id} is none that is known: the number is hexadecimal",
                signer.place,
                help="use 03 to 16",
            )


def allowed_and_denied(subject: Subject) -> Iterator[Finding]:
    """CSV669"""
    for scenario in subject.policy.scenarios:
        denied = {use.signer: use for use in scenario.product.denied}
        for use in scenario.product.allowed:
            if use.signer in denied and not denied[use.signer].exceptions:
                yield finding(
                    "CSV669",
                    f"the signer {use.signer} is both allowed and denied in {scenario_name(scenario.value)}: the denial wins",
                    use.place,
                    help="remove one of the two",
                )


def com_denied_in_supplemental(subject: Subject) -> Iterator[Finding]:
    """CSV671"""
    for setting in subject.policy.settings:
        is_com = setting.provider in _COM_PROVIDERS and setting.value_name == "EnterpriseDefinedClsId"
        if subject.is_supplemental and is_com and setting.value is False:
            yield finding(
                "CSV671",
                f"the supplemental denies the COM class {setting.key} for {setting.provider}; only a base can deny one",
                subject.place,
                help="move the setting to the base policy",
            )


CHECKS = (
    tbs_weak,
    root_ecc,
    certificate_ecc,
    certificate_expired,
    root_test,
    root_flight,
    signer_broad,
    root_unspecified,
    root_odd,
    allowed_and_denied,
    com_denied_in_supplemental,
)
