"""What stands beside the rules for kernel code: Windows' own driver-signing rule, option 2 (WHQL) and option 8 (EV).

A policy's permission is necessary for a driver, not sufficient. Windows 10 1607 and later load a new driver only with a signature by
Microsoft's hardware programme; older cross-signed drivers are exceptions that depend on the machine.

Sources: Windows driver docs, "Driver signing policy" and "WHQL test signature program"; App Control docs, "Understand App Control
policy rules and file rules" (options 2 and 8).
"""

from __future__ import annotations

from collections.abc import Iterator

from csv_gate.engine.appcontrol.compiled import CompiledBase
from csv_gate.engine.appcontrol.truth import (
    ALLOW,
    CONTEXT,
    FACT,
    FALSE,
    NOT_SPECIFIED,
    TRUE,
    Answer,
    all_of,
    any_of,
    no,
    unknown,
    yes,
)
from csv_gate.engine.appcontrol.usability import is_usable
from csv_gate.engine.appcontrol.view import ArtifactView
from csv_gate.engine.appcontrol.well_known import PRODUCT_ROOTS
from csv_gate.model.appcontrol import Option
from csv_gate.model.facts import SignatureFacts

WHQL = "1.3.6.1.4.1.311.10.3.5"
ATTESTATION = "1.3.6.1.4.1.311.10.3.5.1"
WINDOWS_COMPONENT = "1.3.6.1.4.1.311.10.3.6"


def _microsoft_signatures(view: ArtifactView, *ekus: str) -> Iterator[Answer]:
    """For each signature whose leaf has one of the EKUs and whose chain ends in a Microsoft product root: whether it counts."""
    for signature in view.signatures:
        if _is_microsofts(signature) and signature.signer and set(ekus) & set(signature.signer.eku or ()):
            yield is_usable(signature, view, ALLOW, None)


def _is_microsofts(signature: SignatureFacts) -> bool:
    return signature.chain is not None and signature.chain.well_known_root in PRODUCT_ROOTS


def _gap(view: ArtifactView) -> Iterator[Answer]:
    if view.signatures_gap is not None:
        yield unknown(FACT, f"its signatures ({view.signatures_gap})")
    if any(signature.chain is None for signature in view.signatures):
        yield unknown(FACT, "the certificate chain of a signature")


def driver_signing_rule(view: ArtifactView) -> Answer:
    """Whether Windows itself, policy aside, evidently loads the driver."""
    told = view.context.driver_signing_satisfied
    if told is not None:
        return yes("") if told else no("Windows' own driver-signing rule is not met, as the target's configuration says")
    evidence = any_of(_microsoft_signatures(view, WHQL, ATTESTATION, WINDOWS_COMPONENT))
    if evidence.truth is TRUE:
        return evidence
    return unknown(
        CONTEXT,
        "whether Windows' own driver-signing rule is met (`driver_signing_satisfied`): it stands beside the policy, and the file "
        "carries no signature of Microsoft's hardware programme that would prove it",
    )


def option_demands(entry: CompiledBase, view: ArtifactView) -> Answer:
    """What options 2 and 8 of a base ask of kernel code that its rules allow."""
    return all_of(_demands(entry, view))


def _demands(entry: CompiledBase, view: ArtifactView) -> Iterator[Answer]:
    if entry.base.has(Option.WHQL) and not view.context.whql_exempt:
        yield _whql(view)
    if entry.base.has(Option.EV_SIGNERS):
        yield unknown(
            NOT_SPECIFIED,
            "what option 8 (Required:EV Signers) does: its documentation says that it is not supported, users report that drivers "
            "without an EV certificate are blocked, even in audit mode",
        )


def _whql(view: ArtifactView) -> Answer:
    answer = any_of(_microsoft_signatures(view, WHQL))
    if answer.truth is not FALSE:
        return answer
    component = any_of(_microsoft_signatures(view, WINDOWS_COMPONENT, ATTESTATION))
    if component.truth is not FALSE:
        return unknown(
            NOT_SPECIFIED,
            "whether a driver of Windows itself or an attested one meets option 2 (Required:WHQL) without the WHQL EKU",
        )
    return any_of((*_gap(view), no("option 2 (Required:WHQL) wants a WHQL signature, which the file does not carry")))
