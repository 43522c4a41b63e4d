"""CSV2xx: what an App Control policy does with an artifact."""

from __future__ import annotations

from csv_gate.model.checks.table import Check
from csv_gate.model.verdict import Level

CHECKS = (
    Check(id="CSV201", slug="no-rule-allows", title="No rule of the policy allows it", level=Level.ERROR),
    Check(id="CSV202", slug="denied-by-file-rule", title="A deny rule of the policy matches it", level=Level.ERROR),
    Check(id="CSV203", slug="denied-signer", title="The policy denies its signer", level=Level.ERROR),
    Check(
        id="CSV204", slug="signature-unusable", title="The rule would allow it, but the signature is broken", level=Level.ERROR
    ),
    Check(
        id="CSV205", slug="supplemental-without-base", title="A supplemental policy has no base in the set", level=Level.WARNING
    ),
    Check(
        id="CSV206",
        slug="supplemental-not-accepted",
        title="The base does not accept supplemental policies",
        level=Level.WARNING,
    ),
    Check(id="CSV207", slug="whql-required", title="The policy requires a WHQL signature", level=Level.ERROR),
    Check(id="CSV208", slug="driver-signing", title="Windows itself refuses the driver", level=Level.ERROR),
    Check(
        id="CSV210",
        slug="blocked-by-live-version",
        title="The policy allows it, another version that is still live blocks it",
        level=Level.ERROR,
    ),
)
