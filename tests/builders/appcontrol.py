"""App Control policies as values, one keyword per property: a user-mode base with nothing in it unless a keyword says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from csv_gate.errors import Place
from csv_gate.model.appcontrol import (
    KERNEL_SCENARIO,
    USER_SCENARIO,
    VERSION_MAX,
    AppControlPolicy,
    AppControlPolicySet,
    BaseWithSupplementals,
    CertRoot,
    Eku,
    EkuCondition,
    FileRule,
    FileRuleKind,
    Option,
    PolicyForm,
    PolicyKind,
    PolicySignature,
    RootKind,
    Scenario,
    Signer,
    SignerGroup,
    SignerUse,
    VersionBounds,
    version_number,
)
from csv_gate.model.guid import Guid

PLACE = Place(path="policy.xml", line=1)
USUAL = frozenset({Option.UMCI, Option.UNSIGNED_POLICY, Option.ALLOW_SUPPLEMENTAL_POLICIES})
Dotted = tuple[int, int, int, int]


def bounds(kind: FileRuleKind, minimum: Dotted | None, maximum: Dotted | None) -> VersionBounds:
    """As the native compiler stores what XML says."""
    if kind is FileRuleKind.DENY and minimum is None and maximum is None:
        return VersionBounds(minimum=VERSION_MAX, maximum=0)
    return VersionBounds(minimum=version_number(minimum) if minimum else 0, maximum=version_number(maximum) if maximum else 0)


def rule(
    kind: FileRuleKind,
    id: str,
    *,
    hash: str | None = None,
    file_name: str | None = None,
    internal_name: str | None = None,
    file_description: str | None = None,
    product_name: str | None = None,
    path: str | None = None,
    package: str | None = None,
    minimum: Dotted | None = None,
    maximum: Dotted | None = None,
    stored: VersionBounds | None = None,
    app_ids: Sequence[str] = (),
    hotpatch: str | None = None,
    package_version: int | None = None,
) -> FileRule:
    return FileRule(
        id=id,
        kind=kind,
        place=PLACE,
        hash=bytes.fromhex(hash) if hash else None,
        file_name=file_name,
        internal_name=internal_name,
        file_description=file_description,
        product_name=product_name,
        package_family_name=package,
        package_version=package_version,
        file_path=path,
        versions=stored or bounds(kind, minimum, maximum),
        app_ids=tuple(app_ids),
        require_hotpatch_id=hotpatch,
    )


def allow(id: str = "ID_ALLOW_A", **properties: object) -> FileRule:
    return rule(FileRuleKind.ALLOW, id, **properties)  # type: ignore[arg-type]


def deny(id: str = "ID_DENY_D", **properties: object) -> FileRule:
    return rule(FileRuleKind.DENY, id, **properties)  # type: ignore[arg-type]


def attribute(id: str = "ID_FILEATTRIB_F", **properties: object) -> FileRule:
    return rule(FileRuleKind.ATTRIBUTE, id, **properties)  # type: ignore[arg-type]


def eku(oid: str, *, is_except: bool = False) -> EkuCondition:
    return EkuCondition(eku=Eku(id=f"ID_EKU_{oid}", place=PLACE, oid=oid, value=oid.encode()), is_except=is_except)


def signer(
    id: str = "ID_SIGNER_S",
    *,
    tbs: str | None = None,
    well_known: int | None = None,
    publisher: str | None = None,
    issuer: str | None = None,
    oem_id: str | None = None,
    ekus: Sequence[EkuCondition] = (),
    attributes: Sequence[str] = (),
    artifact_rules: Sequence[str] = (),
    after: datetime | None = None,
) -> Signer:
    root = (
        CertRoot(kind=RootKind.WELL_KNOWN, value=bytes([well_known]))
        if well_known is not None
        else CertRoot(kind=RootKind.TBS, value=bytes.fromhex(tbs or "00" * 32))
    )
    return Signer(
        id=id,
        place=PLACE,
        name=id,
        root=root,
        ekus=tuple(ekus),
        issuer=issuer,
        publisher=publisher,
        oem_id=oem_id,
        file_attributes=tuple(attributes),
        artifact_rules=tuple(artifact_rules),
        sign_time_after=after,
    )


def use(id: str = "ID_SIGNER_S", *exceptions: str) -> SignerUse:
    return SignerUse(signer=id, place=PLACE, exceptions=exceptions)


def group(rules: Iterable[FileRule] = (), allowed: Iterable[SignerUse] = (), denied: Iterable[SignerUse] = ()) -> SignerGroup:
    used = tuple(r.id for r in rules if r.kind is not FileRuleKind.ATTRIBUTE)
    return SignerGroup(allowed=tuple(allowed), denied=tuple(denied), file_rules=used)


def scenario(
    value: int,
    product: SignerGroup | None = None,
    *,
    minimum_hash: int | None = None,
    inherited: Sequence[str] = (),
    test: SignerGroup | None = None,
) -> Scenario:
    return Scenario(
        id=f"ID_SIGNINGSCENARIO_{value}",
        place=PLACE,
        value=value,
        minimum_hash_algorithm=minimum_hash,
        inherited=tuple(inherited),
        product=product or SignerGroup(),
        test=test,
    )


def policy(
    *rules: FileRule,
    unreferenced: Sequence[FileRule] = (),
    signers: Sequence[Signer] = (),
    allowed: Sequence[SignerUse] | None = None,
    denied: Sequence[SignerUse] = (),
    options: Iterable[Option] = USUAL,
    name: str = "Base",
    kind: PolicyKind = PolicyKind.BASE,
    number: int = 1,
    base_number: int | None = None,
    scenarios: Sequence[Scenario] | None = None,
    form: PolicyForm = PolicyForm.XML,
    signature: PolicySignature | None = None,
) -> AppControlPolicy:
    """Rules stand in both scenarios; every signer is allowed unless `allowed` or `denied` says otherwise."""
    denied_ids = {one.signer for one in denied}
    uses = allowed if allowed is not None else [use(one.id) for one in signers if one.id not in denied_ids]
    product = group(rules, uses, denied)
    return AppControlPolicy(
        path=f"{name}.xml",
        sha256="00" * 32,
        form=form,
        kind=kind,
        name=name,
        friendly_name=None,
        info_id=None,
        version=version_number((10, 0, 0, 0)),
        platform_id=Guid.read(f"{0:032x}"),
        policy_type_id=None,
        policy_id=Guid.read(f"{number:032x}"),
        base_policy_id=Guid.read(f"{base_number or number:032x}"),
        options=frozenset(options),
        file_rules={one.id: one for one in (*rules, *unreferenced)},
        signers={one.id: one for one in signers},
        scenarios=tuple(scenarios) if scenarios is not None else both(product),
        signature=signature,
    )


def both(product: SignerGroup) -> tuple[Scenario, ...]:
    return (scenario(KERNEL_SCENARIO, product), scenario(USER_SCENARIO, product))


def supplemental(*rules: FileRule, name: str = "Supplemental", number: int = 9, **properties: object) -> AppControlPolicy:
    properties.setdefault("options", {Option.UNSIGNED_POLICY})
    return policy(*rules, name=name, kind=PolicyKind.SUPPLEMENTAL, number=number, base_number=1, **properties)  # type: ignore[arg-type]


def policy_set(
    *bases: AppControlPolicy,
    supplementals: Sequence[AppControlPolicy] = (),
    orphans: Sequence[AppControlPolicy] = (),
    tagging: Sequence[AppControlPolicy] = (),
    uncertainties: Sequence[str] = (),
) -> AppControlPolicySet:
    """Supplementals belong to the first base."""
    return AppControlPolicySet(
        bases=tuple(
            BaseWithSupplementals(base=base, supplementals=tuple(supplementals) if base is bases[0] else ()) for base in bases
        ),
        orphans=tuple(orphans),
        tagging=tuple(tagging),
        uncertainties=tuple(uncertainties),
    )
