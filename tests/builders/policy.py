"""SiPolicy XML and policy values for tests, one keyword per property."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from xml.sax.saxutils import quoteattr

from csv_gate.errors import Place
from csv_gate.model.appcontrol import (
    AppControlPolicy,
    ArtifactRule,
    CertRoot,
    Eku,
    EkuCondition,
    FileRule,
    FileRuleKind,
    Option,
    PolicyForm,
    PolicyKind,
    RootKind,
    Scenario,
    Setting,
    Signer,
    SignerGroup,
    SignerUse,
    VersionBounds,
)
from csv_gate.model.guid import Guid
from csv_gate.policies.object_identifier import value_from_oid
from csv_gate.policies.version_bounds import ABSENT

NAMESPACE = "urn:schemas-microsoft-com:sipolicy"
PLATFORM = "{2E07F7E4-194C-4D20-B7C9-6F44A6C5A234}"
BASE_ID = "{11111111-2222-3333-4444-555555555555}"
OTHER_ID = "{99999999-2222-3333-4444-555555555555}"
SHA256 = "AB" * 32
PLACE = Place(path="policy.xml", line=1, column=1)


# --- XML --------------------------------------------------------------------------------------------------------------


def element(name: str, *children: str, **attributes: str | None) -> str:
    """One element; children are XML text, attributes are escaped."""
    written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items() if value is not None)
    return f"<{name}{written}>{''.join(children)}</{name}>"


def signer_xml(
    id: str = "ID_SIGNER_S_1", *inside: str, root: str = element("CertRoot", Type="TBS", Value=SHA256), **attributes: str
) -> str:
    return element("Signer", root, *inside, ID=id, **attributes)


def scenario_xml(
    *,
    value: str = "12",
    id: str | None = None,
    allowed: Iterable[str] = (),
    denied: Iterable[str] = (),
    rules: Iterable[str] = (),
    inside: str = "",
    **attributes: str,
) -> str:
    """A scenario; `allowed` and `denied` are signer ids or whole elements, `rules` are rule ids."""

    def uses(name: str, entries: Iterable[str]) -> str:
        listed = [entry if entry.startswith("<") else element(name, SignerId=entry) for entry in entries]
        return element(name + "s", *listed) if listed else ""

    references = [element("FileRuleRef", RuleID=rule) for rule in rules]
    product = element(
        "ProductSigners",
        uses("AllowedSigner", allowed),
        uses("DeniedSigner", denied),
        element("FileRulesRef", *references) if references else "",
    )
    return element("SigningScenario", product, inside, Value=value, ID=id or f"ID_SIGNINGSCENARIO_V_{value}", **attributes)


def policy_xml(
    *,
    kind: str | None = "Base Policy",
    version: str = "10.0.0.0",
    policy_id: str | None = BASE_ID,
    base_policy_id: str | None = BASE_ID,
    policy_type_id: str | None = None,
    platform_id: str | None = PLATFORM,
    options: Iterable[str] = ("Enabled:UMCI",),
    ekus: Iterable[str] = (),
    file_rules: Iterable[str] = (),
    artifact_rules: Iterable[str] = (),
    signers: Iterable[str] = (),
    scenarios: Iterable[str] = (),
    settings: Iterable[str] = (),
    macros: Iterable[str] = (),
    extra: str = "",
    root: str = "SiPolicy",
    namespace: str | None = NAMESPACE,
    prolog: str = '<?xml version="1.0" encoding="utf-8"?>\n',
    encoding: str = "utf-8",
    **attributes: str,
) -> bytes:
    """A whole policy, one section per line so that line numbers in errors can be predicted."""
    ids = {"PolicyTypeID": policy_type_id, "PlatformID": platform_id, "PolicyID": policy_id, "BasePolicyID": base_policy_id}
    lines = [
        element("VersionEx", version),
        *(element(name, value) for name, value in ids.items() if value is not None),
        element("Rules", *(element("Rule", element("Option", option)) for option in options)),
    ]
    sections = {
        "EKUs": ekus,
        "FileRules": file_rules,
        "ArtifactRules": artifact_rules,
        "Signers": signers,
        "SigningScenarios": scenarios,
        "Settings": settings,
        "Macros": macros,
    }
    for name, entries in sections.items():
        if listed := list(entries):
            lines.extend([f"<{name}>", *listed, f"</{name}>"])
    text = element(root, "\n", "\n".join([*lines, extra]), "\n", xmlns=namespace, PolicyType=kind, **attributes)
    return (prolog + text).encode(encoding)


# --- values -----------------------------------------------------------------------------------------------------------


def file_rule(
    id: str = "ID_ALLOW_A_1",
    kind: FileRuleKind = FileRuleKind.ALLOW,
    *,
    versions: VersionBounds | None = None,
    place: Place = PLACE,
    hash: bytes | None = None,
    file_name: str | None = None,
    internal_name: str | None = None,
    file_description: str | None = None,
    product_name: str | None = None,
    package_family_name: str | None = None,
    package_version: int | None = None,
    file_path: str | None = None,
    friendly_name: str | None = None,
    app_ids: tuple[str, ...] = (),
    app_ids_text: str | None = None,
) -> FileRule:
    return FileRule(
        id=id,
        kind=kind,
        place=place,
        versions=versions or ABSENT[kind],
        hash=hash,
        file_name=file_name,
        internal_name=internal_name,
        file_description=file_description,
        product_name=product_name,
        package_family_name=package_family_name,
        package_version=package_version,
        file_path=file_path,
        friendly_name=friendly_name,
        app_ids=app_ids,
        app_ids_text=app_ids_text if app_ids_text is not None or not app_ids else app_ids[0],
    )


def eku(
    oid: str = "1.3.6.1.5.5.7.3.3", id: str = "ID_EKU_E_1", *, place: Place = PLACE, friendly_name: str | None = None
) -> Eku:
    value = value_from_oid(oid)
    assert value is not None
    return Eku(id=id, place=place, oid=oid, value=value, friendly_name=friendly_name)


def tbs_root(value: bytes = b"\xab" * 32) -> CertRoot:
    return CertRoot(kind=RootKind.TBS, value=value)


def well_known_root(number: int) -> CertRoot:
    return CertRoot(kind=RootKind.WELL_KNOWN, value=bytes((number,)))


def signer(
    id: str = "ID_SIGNER_S_1",
    *,
    root: CertRoot | None = None,
    place: Place = PLACE,
    name: str | None = None,
    ekus: tuple[EkuCondition, ...] = (),
    issuer: str | None = None,
    publisher: str | None = None,
    oem_id: str | None = None,
    file_attributes: tuple[str, ...] = (),
    artifact_rules: tuple[str, ...] = (),
    sign_time_after: datetime | None = None,
) -> Signer:
    return Signer(
        id=id,
        place=place,
        name=name,
        root=root or tbs_root(),
        ekus=ekus,
        issuer=issuer,
        publisher=publisher,
        oem_id=oem_id,
        file_attributes=file_attributes,
        artifact_rules=artifact_rules,
        sign_time_after=sign_time_after,
    )


def signer_use(signer: str = "ID_SIGNER_S_1", *exceptions: str, place: Place = PLACE) -> SignerUse:
    return SignerUse(signer=signer, place=place, exceptions=exceptions)


def scenario(
    value: int = 12,
    *,
    id: str | None = None,
    place: Place = PLACE,
    allowed: Iterable[SignerUse] = (),
    denied: Iterable[SignerUse] = (),
    file_rules: Iterable[str] = (),
    inherited: tuple[str, ...] = (),
    minimum_hash_algorithm: int | None = None,
    test: SignerGroup | None = None,
    test_signing: SignerGroup | None = None,
    artifact: SignerGroup | None = None,
    appid_tags: tuple[tuple[str, str], ...] = (),
    enforce_dll: bool | None = None,
) -> Scenario:
    return Scenario(
        id=id or f"ID_SIGNINGSCENARIO_V_{value}",
        place=place,
        value=value,
        product=SignerGroup(allowed=tuple(allowed), denied=tuple(denied), file_rules=tuple(file_rules)),
        inherited=inherited,
        minimum_hash_algorithm=minimum_hash_algorithm,
        test=test,
        test_signing=test_signing,
        artifact=artifact,
        appid_tags=appid_tags,
        enforce_dll=enforce_dll,
    )


def policy(
    *,
    path: str = "policy.xml",
    sha256: str = "0" * 64,
    kind: PolicyKind = PolicyKind.BASE,
    policy_id: Guid | str = BASE_ID,
    base_policy_id: Guid | str | None = None,
    policy_type_id: Guid | None = None,
    has_policy_id: bool = True,
    version: int = 10 << 48,
    options: Iterable[Option] = (Option.UMCI,),
    ekus: Iterable[Eku] = (),
    file_rules: Iterable[FileRule] = (),
    signers: Iterable[Signer] = (),
    scenarios: Iterable[Scenario] = (),
    artifact_rules: Iterable[ArtifactRule] = (),
    update_signers: tuple[str, ...] = (),
    ci_signers: tuple[str, ...] = (),
    supplemental_signers: tuple[str, ...] = (),
    settings: tuple[Setting, ...] = (),
    macros: tuple[tuple[str, str], ...] = (),
    hvci_options: int | None = None,
    friendly_name: str | None = None,
    name: str | None = None,
    unknown_option_bits: int = 0,
    app_settings: tuple[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], ...] = (),
    format_version: int | None = None,
) -> AppControlPolicy:
    own = policy_id if isinstance(policy_id, Guid) else Guid.read(policy_id)
    base = own if base_policy_id is None else base_policy_id if isinstance(base_policy_id, Guid) else Guid.read(base_policy_id)
    return AppControlPolicy(
        path=path,
        sha256=sha256,
        form=PolicyForm.XML,
        kind=kind,
        name=name or friendly_name,
        friendly_name=friendly_name,
        info_id=None,
        version=version,
        platform_id=Guid.read(PLATFORM),
        policy_type_id=policy_type_id,
        policy_id=own,
        base_policy_id=base,
        has_policy_id=has_policy_id,
        options=frozenset(options),
        unknown_option_bits=unknown_option_bits,
        ekus=tuple(ekus),
        file_rules={rule.id: rule for rule in file_rules},
        signers={entry.id: entry for entry in signers},
        scenarios=tuple(scenarios),
        artifact_rules={rule.id: rule for rule in artifact_rules},
        update_signers=update_signers,
        ci_signers=ci_signers,
        supplemental_signers=supplemental_signers,
        hvci_options=hvci_options,
        settings=settings,
        macros=macros,
        app_settings=app_settings,
        format_version=format_version,
    )


_OUTWARD = frozenset({"place", "path", "sha256", "form", "notes", "format_version", "signature"})


def meaning(value: object) -> object:
    """What a policy says, without where it was read from: the same for two forms of one policy."""
    if is_dataclass(value) and not isinstance(value, type):
        return (
            type(value).__name__,
            *(meaning(getattr(value, field.name)) for field in fields(value) if field.name not in _OUTWARD),
        )
    if isinstance(value, Mapping):
        return tuple((meaning(key), meaning(entry)) for key, entry in value.items())
    if isinstance(value, tuple | list):
        return tuple(meaning(entry) for entry in value)
    return value
