"""Hypothesis strategies for whole policies that a compiler would take: every property the model has, in every combination."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from csv_gate.model.appcontrol import (
    VERSION_MAX,
    AppControlPolicy,
    ArtifactRule,
    EkuCondition,
    FileRule,
    FileRuleKind,
    Option,
    PolicyKind,
    Scenario,
    Setting,
    Signer,
    SignerGroup,
    SignerUse,
    VersionBounds,
)
from csv_gate.model.guid import Guid
from tests.builders import policy as build

texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from("\t\r\n <&\"'$"),
    min_size=1,
    max_size=8,
)
"""Blanks, quotes, angle brackets and characters above U+FFFF are all in."""
some_text = st.none() | texts
versions = st.sampled_from([0, 1, 1 << 48, VERSION_MAX]) | st.integers(0, VERSION_MAX)
digests = st.sampled_from([20, 32, 48, 64]).flatmap(lambda size: st.binary(min_size=size, max_size=size))
uuids = st.integers(0, (1 << 128) - 1).map(lambda number: Guid.read(f"{number:032x}"))
EKUS = tuple(build.eku(f"1.3.6.1.5.5.7.3.{number}", f"ID_EKU_E_{number}") for number in range(3))


@st.composite
def bounds(draw: st.DrawFn) -> VersionBounds:
    low, high = sorted((draw(versions), draw(versions)))
    return draw(
        st.sampled_from(
            [
                VersionBounds(minimum=low, maximum=high),
                VersionBounds(minimum=high, maximum=0),
                VersionBounds(minimum=0, maximum=0),
            ]
        )
    )


@st.composite
def file_rules(draw: st.DrawFn, index: int) -> FileRule:
    kind = draw(st.sampled_from(FileRuleKind))
    rule_id = f"ID_FILE_A_{index:04}"
    friendly = draw(some_text)
    if draw(st.booleans()):
        return build.file_rule(rule_id, kind, hash=draw(digests), friendly_name=friendly)
    app_ids = draw(st.none() | texts.filter(lambda text: not text.startswith("$")))
    return build.file_rule(
        rule_id,
        kind,
        friendly_name=friendly,
        versions=draw(bounds()),
        file_name=draw(texts),
        file_path=draw(some_text),
        internal_name=None if app_ids else draw(some_text),
        file_description=None if app_ids else draw(some_text),
        product_name=None if app_ids else draw(some_text),
        package_family_name=None if app_ids else draw(some_text),
        package_version=draw(st.none() | st.integers(1, VERSION_MAX)),
        app_ids=(app_ids,) if app_ids else (),
    )


@st.composite
def signers(draw: st.DrawFn, index: int, rules: list[FileRule], artifact_rules: list[ArtifactRule]) -> Signer:
    attributes = [rule.id for rule in rules if rule.kind is FileRuleKind.ATTRIBUTE]
    moment = st.integers(1, 10**16).map(lambda micros: datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros))
    conditions = [
        EkuCondition(eku=eku, is_except=is_except)
        for is_except in (False, True)
        for eku in draw(st.lists(st.sampled_from(EKUS), max_size=2, unique=True))
    ]
    return build.signer(
        f"ID_SIGNER_S_{index}",
        root=draw(st.binary(min_size=1, max_size=64).map(build.tbs_root) | st.integers(0, 255).map(build.well_known_root)),
        name=draw(some_text),
        ekus=tuple(conditions),
        issuer=draw(some_text),
        publisher=draw(some_text),
        oem_id=draw(some_text),
        file_attributes=tuple(draw(st.lists(st.sampled_from(attributes), max_size=3))) if attributes else (),
        artifact_rules=tuple(draw(st.lists(st.sampled_from([rule.id for rule in artifact_rules]), max_size=2)))
        if artifact_rules
        else (),
        sign_time_after=draw(st.none() | moment),
    )


@st.composite
def artifact_rules(draw: st.DrawFn, index: int) -> ArtifactRule:
    low, high = sorted((draw(versions), draw(versions)))
    size = draw(st.sampled_from([None, 32, 48, 64]))
    return ArtifactRule(
        id=f"ID_ARTIFACT_A_{index}",
        place=build.PLACE,
        artifact_type=draw(st.sampled_from(["CIM", "Catalog"])),
        action=draw(st.sampled_from(["Deny", "Allow"])),
        friendly_name=draw(some_text),
        name=draw(some_text),
        description=draw(some_text),
        minimum_version=low,
        maximum_version=high,
        hash=None if size is None else draw(st.binary(min_size=size, max_size=size)),
        hash_algorithm=None if size is None else f"sha{size * 8}",
    )


def _references(ids: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(ids), max_size=3).map(tuple) if ids else st.just(())


@st.composite
def groups(draw: st.DrawFn, signer_ids: list[str], rules: list[FileRule], referable: list[str]) -> SignerGroup:
    def uses(kind: FileRuleKind) -> tuple[SignerUse, ...]:
        exceptions = [rule.id for rule in rules if rule.kind is kind]
        return tuple(build.signer_use(signer, *draw(_references(exceptions))) for signer in draw(_references(signer_ids)))

    return SignerGroup(
        allowed=uses(FileRuleKind.DENY), denied=uses(FileRuleKind.ALLOW), file_rules=draw(_references(referable))
    )


@st.composite
def scenarios(draw: st.DrawFn, value: int, signer_ids: list[str], rules: list[FileRule], artifact_ids: list[str]) -> Scenario:
    referable = [rule.id for rule in rules if rule.kind is not FileRuleKind.ATTRIBUTE]
    product = draw(groups(signer_ids, rules, referable))
    test, test_signing = (draw(st.none() | groups(signer_ids, rules, referable)) for _ in range(2))
    tags = draw(st.lists(st.tuples(texts, texts), max_size=2, unique_by=lambda tag: tag[0].upper())) if value == 12 else []
    return Scenario(
        id=f"ID_SIGNINGSCENARIO_V_{value}",
        place=build.PLACE,
        value=value,
        friendly_name=draw(some_text),
        minimum_hash_algorithm=draw(st.sampled_from([None, 0x8004])),
        inherited=draw(st.sampled_from([(), ("ID_SIGNINGSCENARIO_V_131",)])) if value == 12 else (),
        product=product,
        test=test,
        test_signing=test_signing,
        artifact=draw(st.none() | groups(signer_ids, rules, artifact_ids)),
        appid_tags=tuple(tags),
        enforce_dll=draw(st.sampled_from([None, True])) if value == 12 else None,
    )


setting_values = st.booleans() | st.integers(0, 0xFFFF_FFFF) | st.binary(max_size=6) | texts


@st.composite
def policies(draw: st.DrawFn) -> AppControlPolicy:
    """A policy as XML could say it."""
    artifacts = [draw(artifact_rules(number)) for number in range(draw(st.integers(0, 2)))]
    rules = [draw(file_rules(number)) for number in range(draw(st.integers(0, 5)))]
    listed = [draw(signers(number, rules, artifacts)) for number in range(draw(st.integers(0, 3)))]
    ids = [signer.id for signer in listed]
    kind = draw(st.sampled_from(PolicyKind))
    own = draw(uuids)
    settings = draw(
        st.lists(
            st.tuples(texts, texts, texts, setting_values), max_size=3, unique_by=lambda entry: tuple(map(str.upper, entry[:3]))
        )
    )
    return build.policy(
        kind=kind,
        policy_id=own,
        base_policy_id=draw(uuids) if kind is PolicyKind.SUPPLEMENTAL else own,
        version=draw(versions),
        options=draw(st.sets(st.sampled_from([option for option in Option if option is not Option.DEBUG_POLICY_AUGMENTED]))),
        ekus=EKUS,
        file_rules=rules,
        signers=listed,
        scenarios=[draw(scenarios(value, ids, rules, [rule.id for rule in artifacts])) for value in (131, 12)],
        artifact_rules=artifacts,
        update_signers=draw(_references(ids)),
        ci_signers=draw(_references(ids)),
        supplemental_signers=draw(_references(ids)),
        settings=tuple(Setting(provider=a, key=b, value_name=c, value=value) for a, b, c, value in settings),
        hvci_options=draw(st.none() | st.integers(0, 0xFFFF_FFFF)),
        friendly_name=draw(some_text),
    )
