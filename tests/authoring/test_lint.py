"""Every check of the lint fires on a policy with one defect, and is silent when that defect is mended."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csv_gate.authoring.lint import LINT_CHECKS, lint
from csv_gate.errors import Place, PolicyError
from csv_gate.model.appcontrol import (
    VERSION_MAX,
    AppControlPolicy,
    EkuCondition,
    FileRule,
    FileRuleKind,
    Option,
    PolicyForm,
    PolicyKind,
    PolicySignature,
    Setting,
    Signer,
    SignerGroup,
    VersionBounds,
    version_number,
)
from csv_gate.model.checks import CHECKS
from csv_gate.model.facts import CertificateFacts
from csv_gate.model.guid import Guid
from csv_gate.model.verdict import Level
from csv_gate.policies import load_policy, read_policy
from tests.builders import facts
from tests.builders.policy import (
    BASE_ID,
    OTHER_ID,
    eku,
    element,
    file_rule,
    policy,
    policy_xml,
    scenario,
    scenario_xml,
    signer,
    signer_use,
    tbs_root,
    well_known_root,
)
from tests.builders.policy_strategies import policies

DENY, ALLOW, ATTRIBUTE = FileRuleKind.DENY, FileRuleKind.ALLOW, FileRuleKind.ATTRIBUTE
KERNEL, USER = 131, 12
USUAL = (Option.UMCI, Option.UNSIGNED_POLICY)
SUPPLEMENTAL: dict[str, Any] = {"kind": PolicyKind.SUPPLEMENTAL, "policy_id": OTHER_ID, "base_policy_id": BASE_ID}
STRANGE_ID = "{77777777-2222-3333-4444-555555555555}"
COM = Setting(provider="IE", key="{0002DF01-0000-0000-C000-000000000046}", value_name="EnterpriseDefinedClsId", value=False)
NAMED = tuple(Setting(provider="PolicyInfo", key="Information", value_name=name, value="x") for name in ("Name", "Id"))
ANY = file_rule("ID_ALLOW_ANY", file_name="*")
APP = file_rule("ID_ALLOW_APP", file_name="app.exe")
SIGNED = PolicySignature(valid=False, subject="CN=Somebody", thumbprint_sha1="00" * 20, problems=("it is broken",))


def bounds(minimum: str = "0.0.0.0", maximum: str = "0.0.0.0") -> VersionBounds:
    low, high = (version_number(tuple(map(int, text.split(".")))) for text in (minimum, maximum))  # type: ignore[arg-type]
    return VersionBounds(minimum=low, maximum=high)


def with_rule(rule: FileRule, *, value: int = USER, **properties: Any) -> AppControlPolicy:
    """A policy whose scenario lists that one rule."""
    return policy(
        options=USUAL,
        file_rules=[rule],
        scenarios=[scenario(value, file_rules=[rule.id])],
        **properties,
    )


def with_rules(*rules: FileRule, **properties: Any) -> AppControlPolicy:
    ids = [rule.id for rule in rules]
    return policy(options=USUAL, file_rules=rules, scenarios=[scenario(file_rules=ids)], **properties)


def with_signer(entry: Signer, **properties: Any) -> AppControlPolicy:
    """A policy that allows one signer in user mode."""
    uses = [signer_use(entry.id)]
    keywords: dict[str, Any] = {"options": USUAL, "signers": [entry], "scenarios": [scenario(allowed=uses)]} | properties
    return policy(**keywords)


def with_denied(attribute: FileRule) -> AppControlPolicy:
    """A policy that denies one signer for one file attribute."""
    entry = signer(file_attributes=(attribute.id,))
    return policy(
        options=USUAL,
        file_rules=[attribute],
        signers=[entry],
        scenarios=[scenario(denied=[signer_use()])],
    )


def with_options(*options: Option, **properties: Any) -> AppControlPolicy:
    return policy(options=options, **properties)


def compiled(name: str) -> AppControlPolicy:
    return replace(policy(path=f"deploy/{name}"), form=PolicyForm.BINARY)


def tagged(**properties: Any) -> AppControlPolicy:
    return policy(scenarios=[scenario(appid_tags=(("Team", "web"),), **properties)], kind=PolicyKind.APPID_TAGGING)


def deny(**properties: Any) -> AppControlPolicy:
    return with_rule(file_rule("ID_DENY_D", DENY, **properties))


def named(name: str) -> AppControlPolicy:
    return with_rule(file_rule(file_name=name))


def path(text: str) -> AppControlPolicy:
    return with_rule(file_rule(file_path=text))


def root(number: int, **properties: Any) -> AppControlPolicy:
    return with_signer(signer(root=well_known_root(number), **properties))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One check with a policy that has the defect and the same policy mended."""

    check: str
    defect: AppControlPolicy
    mended: AppControlPolicy
    beside: Sequence[AppControlPolicy] = ()
    against: Sequence[AppControlPolicy] = ()
    certificates: Sequence[CertificateFacts] = ()


EXPIRED = facts.certificate("Old", not_after=facts.NOW - timedelta(days=1))
ELLIPTIC = facts.certificate("Elliptic", key_algorithm="ec")
GOOD = facts.certificate("Good")
E1 = eku()
OLD = policy(version=version_number((10, 0, 0, 5)), sha256="1" * 64)
NARROW = file_rule("ID_ALLOW_NARROW", file_name="app.exe", versions=bounds("2.0.0.0"))
PACKAGE = file_rule("ID_ALLOW_PACKAGE", package_family_name="Contoso.App_8wekyb3d8bbwe")
HASH = b"\x11" * 32
FIXED: dict[str, Any] = {"file_name": "old.exe"}
TEST = scenario(file_rules=[ANY.id], test=SignerGroup(allowed=(signer_use(),)))

CASES = [
    Case(check="CSV601", defect=policy(), mended=policy(settings=NAMED)),
    Case(check="CSV602", defect=compiled("my.cip"), mended=compiled(f"{BASE_ID}.cip")),
    Case(check="CSV603", defect=replace(policy(), notes=("ids do not follow the schema",)), mended=policy()),
    Case(
        check="CSV604",
        defect=policy(),
        mended=policy(policy_id=STRANGE_ID),
        beside=[policy(path="other.xml", sha256="2" * 64)],
    ),
    Case(
        check="CSV605",
        defect=policy(version=version_number((10, 0, 0, 5))),
        mended=policy(version=version_number((10, 0, 0, 6))),
        against=[OLD],
    ),
    Case(check="CSV605", defect=policy(version=version_number((9, 0, 0, 9))), mended=replace(OLD), against=[OLD]),
    Case(check="CSV606", defect=policy(base_policy_id=OTHER_ID), mended=policy()),
    Case(check="CSV606", defect=policy(kind=PolicyKind.SUPPLEMENTAL), mended=policy(**SUPPLEMENTAL)),
    Case(check="CSV607", defect=policy(policy_id="{A244370E-44C9-4C06-B551-F6016E563076}"), mended=policy()),
    Case(
        check="CSV608",
        defect=replace(policy(), signature=SIGNED),
        mended=replace(policy(), signature=replace(SIGNED, valid=True, problems=())),
    ),
    Case(
        check="CSV609",
        defect=policy(**SUPPLEMENTAL, path="supplemental.xml"),
        mended=policy(**SUPPLEMENTAL | {"base_policy_id": STRANGE_ID}, path="supplemental.xml"),
        beside=[policy(policy_id=STRANGE_ID, sha256="5" * 64)],
    ),
    Case(
        check="CSV610",
        defect=policy(**SUPPLEMENTAL, path="supplemental.xml"),
        mended=policy(**SUPPLEMENTAL | {"base_policy_id": STRANGE_ID}, path="supplemental.xml"),
        beside=[policy(sha256="5" * 64), with_options(Option.ALLOW_SUPPLEMENTAL_POLICIES, policy_id=STRANGE_ID)],
    ),
    Case(check="CSV611", defect=with_options(Option.AUDIT_MODE), mended=with_options()),
    Case(
        check="CSV612",
        defect=with_options(Option.ALLOW_SUPPLEMENTAL_POLICIES, **SUPPLEMENTAL),
        mended=with_options(Option.ALLOW_SUPPLEMENTAL_POLICIES),
    ),
    Case(
        check="CSV612",
        defect=with_signer(signer(), supplemental_signers=("ID_SIGNER_S_1",), **SUPPLEMENTAL),
        mended=with_signer(signer(), **SUPPLEMENTAL),
    ),
    Case(
        check="CSV613",
        defect=with_options(Option.AUDIT_MODE, **SUPPLEMENTAL),
        mended=with_options(Option.INTELLIGENT_SECURITY_GRAPH, Option.UNSIGNED_POLICY, **SUPPLEMENTAL),
    ),
    Case(check="CSV614", defect=with_options(Option.UMCI), mended=with_options(Option.UNSIGNED_POLICY)),
    Case(
        check="CSV614",
        defect=with_signer(signer(), options=[Option.UMCI]),
        mended=with_signer(signer(), options=[Option.UMCI], update_signers=("ID_SIGNER_S_1",)),
    ),
    Case(check="CSV615", defect=replace(with_rules(ANY), options=frozenset()), mended=with_rules(ANY)),
    Case(check="CSV616", defect=with_options(Option.INHERIT_DEFAULT_POLICY), mended=with_options()),
    Case(
        check="CSV616",
        defect=with_options(Option.DYNAMIC_CODE_SECURITY),
        mended=with_options(Option.DYNAMIC_CODE_SECURITY, Option.UMCI),
    ),
    Case(
        check="CSV617",
        defect=replace(path("%WINDIR%\\x\\*"), options=frozenset({Option.DISABLED_FILEPATH_PROTECTION})),
        mended=path("%WINDIR%\\x\\*"),
    ),
    Case(
        check="CSV618",
        defect=policy(scenarios=[scenario(KERNEL)]),
        mended=policy(scenarios=[scenario(KERNEL)], hvci_options=2),
    ),
    Case(
        check="CSV619",
        defect=with_signer(signer(), options=[Option.ALLOW_SUPPLEMENTAL_POLICIES]),
        mended=with_signer(signer(), options=[Option.ALLOW_SUPPLEMENTAL_POLICIES], supplemental_signers=("ID_SIGNER_S_1",)),
    ),
    Case(
        check="CSV621",
        defect=policy(scenarios=[scenario(KERNEL)]),
        mended=policy(scenarios=[scenario(KERNEL), scenario(USER)]),
    ),
    Case(
        check="CSV621", defect=policy(scenarios=[scenario(USER)]), mended=policy(scenarios=[scenario(KERNEL), scenario(USER)])
    ),
    Case(check="CSV622", defect=policy(scenarios=[scenario(USER)]), mended=with_rules(ANY)),
    Case(
        check="CSV622", defect=policy(scenarios=[scenario(KERNEL)]), mended=policy(scenarios=[scenario(KERNEL)], **SUPPLEMENTAL)
    ),
    Case(check="CSV623", defect=deny(file_name="bad.exe"), mended=with_rules(file_rule("ID_DENY_D", DENY, file_name="b"), ANY)),
    Case(check="CSV624", defect=with_rules(ANY, APP), mended=with_rules(APP)),
    Case(check="CSV624", defect=with_rules(ANY, APP), mended=with_rules(ANY)),
    Case(check="CSV625", defect=with_rules(ANY, **SUPPLEMENTAL), mended=with_rules(APP, **SUPPLEMENTAL)),
    Case(check="CSV625", defect=with_rules(ANY), mended=with_rules(APP), beside=[policy(policy_id=OTHER_ID, sha256="3" * 64)]),
    Case(
        check="CSV626",
        defect=policy(signers=[signer()], file_rules=[ANY], scenarios=[TEST]),
        mended=policy(signers=[signer()], file_rules=[ANY], scenarios=[replace(TEST, test=None)]),
    ),
    Case(check="CSV627", defect=replace(tagged(), kind=PolicyKind.BASE), mended=tagged()),
    Case(check="CSV627", defect=tagged(value=KERNEL), mended=tagged(value=USER)),
    Case(check="CSV627", defect=policy(kind=PolicyKind.APPID_TAGGING), mended=tagged()),
    Case(
        check="CSV628",
        defect=policy(scenarios=[scenario(minimum_hash_algorithm=0x8004)]),
        mended=policy(scenarios=[scenario(minimum_hash_algorithm=0x800C)]),
    ),
    Case(
        check="CSV629",
        defect=with_rules(file_rule("ID_DENY_D", DENY, file_name="bad.exe"), **SUPPLEMENTAL),
        mended=with_rules(file_rule("ID_DENY_D", DENY, file_name="bad.exe")),
    ),
    Case(
        check="CSV629",
        defect=with_signer(signer(), scenarios=[scenario(denied=[signer_use()])], **SUPPLEMENTAL),
        mended=with_signer(signer(), scenarios=[scenario(allowed=[signer_use()])], **SUPPLEMENTAL),
    ),
    Case(check="CSV630", defect=policy(scenarios=[scenario(13)]), mended=policy(scenarios=[scenario(12)])),
    Case(check="CSV631", defect=policy(file_rules=[APP]), mended=with_rules(APP)),
    Case(check="CSV632", defect=policy(signers=[signer()]), mended=with_signer(signer())),
    Case(
        check="CSV633",
        defect=with_signer(signer(), ekus=[E1]),
        mended=with_signer(signer(ekus=(EkuCondition(eku=E1),)), ekus=[E1]),
    ),
    Case(check="CSV634", defect=with_rules(APP, replace(APP, id="ID_ALLOW_2", file_name="APP.EXE")), mended=with_rules(APP)),
    Case(check="CSV635", defect=with_rules(APP, NARROW), mended=with_rules(NARROW)),
    Case(check="CSV635", defect=with_rules(ANY, file_rule(hash=HASH)), mended=with_rules(file_rule(hash=HASH))),
    Case(
        check="CSV636",
        defect=with_rules(file_rule(hash=HASH), file_rule("ID_DENY_D", DENY, hash=HASH)),
        mended=with_rules(file_rule(hash=HASH), file_rule("ID_DENY_D", DENY, hash=b"\x22" * 32)),
    ),
    Case(
        check="CSV636",
        defect=with_rules(APP, file_rule("ID_DENY_D", DENY, file_name="APP.exe")),
        mended=with_rules(APP, file_rule("ID_DENY_D", DENY, file_name="APP.exe", versions=bounds(maximum="1.0.0.0"))),
    ),
    Case(
        check="CSV641",
        defect=deny(**FIXED, versions=bounds("5.0.0.0")),
        mended=deny(**FIXED, versions=bounds("5.0.0.0", "6.0.0.0")),
    ),
    Case(check="CSV641", defect=deny(**FIXED, versions=bounds("5.0.0.0")), mended=deny(**FIXED)),
    Case(
        check="CSV642",
        defect=deny(**FIXED, versions=bounds(maximum="5.0.0.0")),
        mended=deny(**FIXED, versions=bounds("5.0.0.0", "65535.65535.65535.65535")),
    ),
    Case(
        check="CSV643",
        defect=deny(**FIXED, versions=bounds(maximum="65355.65355.65355.65355")),
        mended=deny(**FIXED, versions=bounds(maximum="65535.65535.65535.65535")),
    ),
    Case(
        check="CSV644",
        defect=with_denied(file_rule("ID_FILEATTRIB_F", ATTRIBUTE, file_name="x.sys")),
        mended=with_denied(
            file_rule("ID_FILEATTRIB_F", ATTRIBUTE, file_name="x.sys", versions=VersionBounds(minimum=0, maximum=VERSION_MAX))
        ),
    ),
    Case(check="CSV645", defect=deny(**FIXED, versions=bounds()), mended=deny(**FIXED)),
    Case(
        check="CSV646",
        defect=deny(package_family_name="A_b", versions=bounds("1.0.0.0")),
        mended=deny(package_family_name="A_b"),
    ),
    Case(check="CSV651", defect=named("C:\\Tools\\app.exe"), mended=named("app.exe")),
    Case(check="CSV652", defect=named("app*.exe"), mended=named("*")),
    Case(check="CSV653", defect=named("app.exe "), mended=named("app.exe")),
    Case(
        check="CSV655",
        defect=with_rule(file_rule(file_path="%WINDIR%\\*"), value=KERNEL),
        mended=with_rule(file_rule(file_path="%WINDIR%\\*"), value=USER),
    ),
    Case(check="CSV656", defect=path("%OSDRIVE%\\Users\\*"), mended=path("%OSDRIVE%\\Program Files\\*")),
    Case(check="CSV656", defect=path("%OSDRIVE%\\*"), mended=path("%OSDRIVE%\\UsersOfTheApp\\*")),
    Case(check="CSV657", defect=path("%WINDIR%\\a*\\b*"), mended=path("%WINDIR%\\a\\b*")),
    Case(check="CSV658", defect=path("%USERPROFILE%\\app.exe"), mended=path("%windir%\\app.exe")),
    Case(check="CSV658", defect=path("app.exe"), mended=path("*\\app.exe")),
    Case(check="CSV659", defect=with_rules(PACKAGE, APP), mended=with_rules(PACKAGE)),
    Case(check="CSV661", defect=with_signer(signer(root=tbs_root(b"\1" * 20))), mended=with_signer(signer(root=tbs_root()))),
    Case(check="CSV661", defect=with_signer(signer(root=tbs_root(b"\1" * 16))), mended=with_signer(signer(root=tbs_root()))),
    Case(check="CSV662", defect=root(0x12), mended=root(0x07)),
    Case(check="CSV663", defect=root(0x0A), mended=root(0x06)),
    Case(
        check="CSV664",
        defect=replace(root(0x0E), options=frozenset({Option.DISABLED_FLIGHT_SIGNING})),
        mended=root(0x0E),
    ),
    Case(check="CSV665", defect=root(0x14), mended=root(0x14, publisher="Contoso Ltd.")),
    Case(check="CSV665", defect=root(0x06), mended=with_signer(signer(root=tbs_root()))),
    Case(check="CSV666", defect=root(0x00), mended=root(0x06)),
    Case(check="CSV667", defect=with_signer(signer(root=tbs_root(b"\1" * 31))), mended=with_signer(signer(root=tbs_root()))),
    Case(check="CSV667", defect=with_signer(signer(root=tbs_root(b""))), mended=with_signer(signer(root=tbs_root()))),
    Case(check="CSV667", defect=root(0x17), mended=root(0x16)),
    Case(
        check="CSV669",
        defect=with_signer(signer(), scenarios=[scenario(allowed=[signer_use()], denied=[signer_use()])]),
        mended=with_signer(signer(), scenarios=[scenario(allowed=[signer_use()])]),
    ),
    Case(check="CSV671", defect=policy(settings=(COM,), **SUPPLEMENTAL), mended=policy(settings=(COM,))),
    *(
        Case(
            check=check,
            defect=with_signer(signer(root=tbs_root(bytes.fromhex(one.tbs["sha256"])))),
            mended=with_signer(signer(root=tbs_root(bytes.fromhex(GOOD.tbs["sha256"])))),
            certificates=(EXPIRED, ELLIPTIC, GOOD),
        )
        for check, one in (("CSV672", EXPIRED), ("CSV673", ELLIPTIC))
    ),
]


def fired(entry: AppControlPolicy, case: Case) -> list[str]:
    found = lint([entry, *case.beside], against=case.against, certificates=case.certificates, evaluated_at=facts.NOW)
    return [finding.check for finding in found if finding.place is not None and finding.place.path == entry.path]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.check}-{number}" for number, case in enumerate(CASES)])
def test_a_check_fires_on_its_defect_and_is_silent_once_that_is_mended(case: Case) -> None:
    assert case.check in fired(case.defect, case)
    assert case.check not in fired(case.mended, case)


def test_every_check_of_the_lint_has_a_case() -> None:
    assert {case.check for case in CASES} == {name for name in CHECKS if name.startswith("CSV6")}


def test_every_function_names_its_check() -> None:
    named = [function.__doc__ for function in LINT_CHECKS]
    assert sorted(map(str, named)) == sorted({case.check for case in CASES})


def test_a_sound_policy_gives_no_finding() -> None:
    sound = policy(
        options=USUAL,
        settings=NAMED,
        hvci_options=2,
        signers=[signer(publisher="Contoso Ltd.")],
        file_rules=[APP, file_rule("ID_ALLOW_DRIVERS", file_name="*")],
        scenarios=[
            scenario(KERNEL, file_rules=["ID_ALLOW_DRIVERS"]),
            scenario(USER, allowed=[signer_use()], file_rules=[APP.id]),
        ],
    )
    assert lint([sound]) == ()


def test_a_finding_points_to_the_line_of_the_rule() -> None:
    data = policy_xml(
        file_rules=[element("Allow", ID="ID_ALLOW_A", FileName="C:\\x.exe")], scenarios=[scenario_xml(rules=["ID_ALLOW_A"])]
    )
    (found,) = [finding for finding in lint([read_policy(data, path="p.xml")]) if finding.check == "CSV651"]
    line = data.decode().split("\n").index('<Allow ID="ID_ALLOW_A" FileName="C:\\x.exe"></Allow>') + 1
    assert found.place == Place(path="p.xml", line=line, column=1)
    assert found.help


def test_audit_takes_the_edge_off_an_empty_scenario() -> None:
    empty = policy(scenarios=[scenario()], options=[Option.UMCI, Option.UNSIGNED_POLICY])
    audited = replace(empty, options=empty.options | {Option.AUDIT_MODE})
    levels = [[one.level for one in lint([entry]) if one.check == "CSV622"] for entry in (empty, audited)]
    assert levels == [[Level.ERROR], [Level.WARNING]]


def test_an_empty_user_scenario_is_of_no_account_without_umci() -> None:
    assert "CSV622" not in [one.check for one in lint([policy(options=[], scenarios=[scenario()])])]


def test_one_policy_given_twice_is_not_two_with_one_id() -> None:
    assert "CSV604" not in [one.check for one in lint([policy(), policy(path="copy.xml")])]


def test_versions_are_compared_within_one_policy_id_only() -> None:
    other = policy(policy_id=Guid.read(OTHER_ID), version=VERSION_MAX, sha256="4" * 64)
    assert "CSV605" not in [one.check for one in lint([policy()], against=[other])]


def test_notes_with_a_check_of_their_own_are_not_told_twice() -> None:
    noted = replace(policy(), notes=("the signature of the policy is not valid: Windows would not activate it",))
    assert "CSV603" not in [one.check for one in lint([noted])]


@given(st.lists(policies(), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_no_policy_breaks_the_lint(given_policies: list[AppControlPolicy]) -> None:
    findings = lint(given_policies, against=given_policies)
    assert findings == lint(given_policies, against=given_policies)
    assert all(finding.message and finding.help and finding.place for finding in findings)


# --- real policies ----------------------------------------------------------------------------------------------------

CORPUS = Path(os.environ.get("CSV_GATE_CORPUS", "")) / "appcontrol"
with_corpus = pytest.mark.skipif("CSV_GATE_CORPUS" not in os.environ, reason="CSV_GATE_CORPUS is not set")
KNOWN = {
    "wizard/Recommended_UserMode_Blocklist.xml": {"CSV623", "CSV634", "CSV641", "CSV643"},
    "wizard/AllowMicrosoft.xml": {"CSV611", "CSV663", "CSV665"},
    "wizard/SignedReputable.xml": {"CSV611", "CSV632"},
    "simeon/samples/Recommended_Driver_Block_Rules_2020.xml": {"CSV642", "CSV653"},
    "simeon/samples/DenyAllAudit.xml": {"CSV607", "CSV611", "CSV622"},
    "simeon/WDAC_V1_Default_Enforced.cip": {"CSV602", "CSV661"},
    "acm/FullCoverage.Base.xml": {"CSV617", "CSV627", "CSV644", "CSV655", "CSV658", "CSV659", "CSV667"},
    "binary/wizard-converter-test.bin": {"CSV622", "CSV641", "CSV644", "CSV666"},
    "aaronlocker/block-1903plus.xml": {"CSV618"},
    "acm/StrictKernelMode.xml": set(),
}


@with_corpus
@pytest.mark.parametrize("name", KNOWN)
def test_the_faults_of_real_policies_are_found(name: str) -> None:
    assert KNOWN[name] <= {finding.check for finding in lint([load_policy(CORPUS / name)])}


@with_corpus
def test_all_real_policies_lint_as_one_set() -> None:
    policies = []
    for found in sorted([*CORPUS.rglob("*.xml"), *CORPUS.rglob("*.cip"), *CORPUS.rglob("*.bin")]):
        try:
            policies.append(load_policy(found))
        except PolicyError:
            continue
    findings = lint(policies, against=policies)
    assert len(policies) > 20
    assert {finding.check for finding in findings} <= CHECKS.keys()
    assert all(finding.message and finding.help and finding.place for finding in findings)
