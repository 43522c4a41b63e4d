"""CSV6xx: what the authors of an App Control policy should look at again, whatever files it meets."""

from __future__ import annotations

from csv_gate.model.checks.table import Check
from csv_gate.model.verdict import Level

CHECKS = (
    Check(id="CSV601", slug="policy-name-missing", title="A policy does not show its name in events", level=Level.NOTE),
    Check(id="CSV602", slug="policy-file-name", title="A compiled policy is not named by its id", level=Level.ERROR),
    Check(id="CSV603", slug="read-leniently", title="A policy is not written as the schema says", level=Level.NOTE),
    Check(id="CSV604", slug="policy-id-twice", title="Two policies of a set have one id", level=Level.ERROR),
    Check(id="CSV605", slug="version-not-raised", title="VersionEx was not raised", level=Level.ERROR),
    Check(
        id="CSV606", slug="policy-ids-contradict", title="Type and ids of a policy contradict one another", level=Level.ERROR
    ),
    Check(id="CSV607", slug="single-policy-id", title="A policy has the id that all single policies share", level=Level.NOTE),
    Check(id="CSV608", slug="policy-signature-invalid", title="The signature around a policy is not valid", level=Level.ERROR),
    Check(id="CSV609", slug="base-not-in-set", title="A supplemental policy stands without its base", level=Level.WARNING),
    Check(id="CSV610", slug="base-takes-no-supplementals", title="A base does not take its supplemental", level=Level.ERROR),
    Check(id="CSV611", slug="audit-left-on", title="A base policy is in audit mode", level=Level.WARNING),
    Check(
        id="CSV612",
        slug="supplemental-takes-supplementals",
        title="A supplemental policy claims to take supplementals",
        level=Level.ERROR,
    ),
    Check(
        id="CSV613", slug="option-of-base-only", title="An option does not count in a supplemental policy", level=Level.WARNING
    ),
    Check(
        id="CSV614", slug="update-signers-missing", title="A policy that must be signed names no successor", level=Level.ERROR
    ),
    Check(id="CSV615", slug="user-rules-without-umci", title="User-mode rules are never looked at", level=Level.WARNING),
    Check(id="CSV616", slug="option-without-effect", title="An option has no effect", level=Level.NOTE),
    Check(id="CSV617", slug="path-protection-off", title="Path rules hold where users can write", level=Level.WARNING),
    Check(id="CSV618", slug="hvci-not-asked", title="A driver policy does not ask for memory integrity", level=Level.NOTE),
    Check(
        id="CSV619", slug="supplemental-signers-missing", title="A signed base can take no supplemental", level=Level.WARNING
    ),
    Check(id="CSV621", slug="scenario-missing", title="A scenario is missing", level=Level.ERROR),
    Check(id="CSV622", slug="scenario-empty", title="A scenario allows nothing", level=Level.ERROR),
    Check(id="CSV623", slug="deny-list-without-allow", title="A deny list blocks everything else too", level=Level.ERROR),
    Check(
        id="CSV624", slug="wildcard-beside-allow-list", title="A wildcard makes an allow list pointless", level=Level.WARNING
    ),
    Check(id="CSV625", slug="allow-all-in-set", title="A policy of the set allows everything", level=Level.WARNING),
    Check(id="CSV626", slug="test-signers", title="Signers for test machines", level=Level.NOTE),
    Check(id="CSV627", slug="tagging-misused", title="AppID tags are misplaced or missing", level=Level.ERROR),
    Check(id="CSV628", slug="sha1-signatures-accepted", title="SHA-1 signatures are accepted", level=Level.WARNING),
    Check(id="CSV629", slug="deny-in-supplemental", title="A supplemental policy denies", level=Level.ERROR),
    Check(id="CSV630", slug="scenario-unknown", title="A scenario has an unknown value", level=Level.WARNING),
    Check(id="CSV631", slug="rule-unreferenced", title="A file rule has no effect", level=Level.WARNING),
    Check(id="CSV632", slug="signer-unreferenced", title="A signer has no effect", level=Level.WARNING),
    Check(id="CSV633", slug="eku-unreferenced", title="An EKU has no effect", level=Level.NOTE),
    Check(id="CSV634", slug="rule-twice", title="A rule stands there twice", level=Level.NOTE),
    Check(id="CSV635", slug="rule-shadowed", title="A rule adds nothing to a wider one", level=Level.NOTE),
    Check(id="CSV636", slug="allow-under-deny", title="An Allow rule can never allow", level=Level.WARNING),
    Check(id="CSV641", slug="deny-minimum-only", title="A denial ends at its minimum version", level=Level.WARNING),
    Check(id="CSV642", slug="deny-maximum-only", title="A denial has an upper bound alone", level=Level.NOTE),
    Check(id="CSV643", slug="version-typo", title="A version looks mistyped", level=Level.WARNING),
    Check(
        id="CSV644",
        slug="denied-attribute-without-versions",
        title="A denied signer is narrowed by a rule without versions",
        level=Level.WARNING,
    ),
    Check(id="CSV645", slug="deny-up-to-nothing", title="A denial covers version 0.0.0.0 at most", level=Level.ERROR),
    Check(id="CSV646", slug="package-deny-void", title="A denial of a package is void", level=Level.ERROR),
    Check(id="CSV651", slug="file-name-is-path", title="FileName holds a place on disk", level=Level.ERROR),
    Check(id="CSV652", slug="name-wildcard", title="A name has a wildcard within", level=Level.WARNING),
    Check(id="CSV653", slug="name-blanks", title="A name begins or ends with a blank", level=Level.NOTE),
    Check(id="CSV655", slug="path-rule-in-kernel", title="A path rule in the kernel scenario", level=Level.ERROR),
    Check(id="CSV656", slug="path-user-writable", title="A path rule allows where users can write", level=Level.WARNING),
    Check(id="CSV657", slug="path-wildcards-windows-11", title="Wildcards that need Windows 11", level=Level.WARNING),
    Check(id="CSV658", slug="path-unusable", title="A path cannot match", level=Level.ERROR),
    Check(
        id="CSV659",
        slug="package-rules-exclude",
        title="A package rule takes packaged apps from all other rules",
        level=Level.WARNING,
    ),
    Check(id="CSV661", slug="tbs-weak", title="A certificate is named by a weak hash", level=Level.WARNING),
    Check(id="CSV662", slug="ecc-root", title="An ECC root is allowed", level=Level.WARNING),
    Check(id="CSV663", slug="test-root", title="A test root is allowed", level=Level.WARNING),
    Check(id="CSV664", slug="flight-root-disabled", title="A root for preview builds has no effect", level=Level.NOTE),
    Check(id="CSV665", slug="signer-broad", title="A signer allows everything under a root", level=Level.WARNING),
    Check(id="CSV666", slug="root-unspecified", title="A signer names a root of unknown meaning", level=Level.WARNING),
    Check(id="CSV667", slug="root-unusable", title="A signer names no certificate", level=Level.ERROR),
    Check(id="CSV669", slug="signer-allowed-and-denied", title="A signer is allowed and denied", level=Level.WARNING),
    Check(id="CSV671", slug="com-deny-in-supplemental", title="A supplemental policy denies a COM class", level=Level.WARNING),
    Check(id="CSV672", slug="signer-expired", title="The certificate of a signer has expired", level=Level.NOTE),
    Check(id="CSV673", slug="signer-ecc", title="The certificate of a signer has an ECC key", level=Level.WARNING),
)
