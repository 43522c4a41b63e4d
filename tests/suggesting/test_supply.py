"""What is suggested is what the engine honours: no more, no less, and the same for the same files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csv_gate.engine import compile_policy_set, evaluate
from csv_gate.errors import UsageError
from csv_gate.model.appcontrol import AppControlPolicy, FileRuleKind, Option, PolicyKind
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Facts, PageHashFacts
from csv_gate.model.guid import Guid
from csv_gate.model.problems import ProblemCode
from csv_gate.model.verdict import Decision
from csv_gate.policies import join_policies, read_policy
from csv_gate.suggesting import Candidate, Level, Suggestion, Wish, suggest
from tests.builders import appcontrol as ac
from tests.builders import facts as f

BASE = ac.policy(name="Fleet")
CONTEXT = AppControlContext(evaluated_at=f.NOW, driver_signing_satisfied=True)


def file(
    path: str = "app.dll",
    *,
    who: str = "Contoso",
    is_signed: bool = True,
    valid: bool = True,
    key: str = "rsa",
    programme: str | None = None,
    is_whql: bool = False,
    is_driver: bool = False,
    has_pages: bool = False,
    has_version: bool = True,
    name: str | None = None,
    version: tuple[int, int, int, int] | None = (5, 0, 0, 0),
    problems: Sequence[ProblemCode] = (),
    is_odd: bool = False,
) -> Facts:
    """One file whose digests are made of its path, and whose names are made of `who` signed it."""
    leaf = f.certificate(
        f"{who} Ltd", issuer_cn=f"{who} CA", eku=(f.CODE_SIGNING, f.WHQL) if is_whql else (f.CODE_SIGNING,), key_algorithm=key
    )
    signature = f.signature(
        leaf,
        f.authority(f"{who} CA", issuer_cn=f"{who} Root"),
        valid=valid,
        program_name=programme,
        page_hashes=PageHashFacts(algorithm="sha256", matches=True) if has_pages else None,
        problems=problems,
    )
    digests = f.digests(
        sha256=f.hex_digest(f"flat {path}"),
        authenticode_sha1=f.hex_digest(f"image {path}", "sha1"),
        authenticode_sha256=f.hex_digest(f"image {path}"),
        page_sha1=f.hex_digest(f"page {path}", "sha1"),
        page_sha256=f.hex_digest(f"page {path}"),
        padded_authenticode_sha256=f.hex_digest(f"padded {path}") if is_odd else None,
        padded_authenticode_sha1=f.hex_digest(f"padded {path}", "sha1") if is_odd else None,
    )
    resource = f.version(name or path, product_name=f"{who} Suite", file_version=version) if has_version else None
    return f.facts(*([signature] if is_signed else []), taken=digests, resource=resource, header=f.pe(is_driver=is_driver))


def candidates(files: dict[str, Facts], context: AppControlContext = CONTEXT) -> list[Candidate]:
    return [Candidate(path=path, facts=facts, context=context) for path, facts in files.items()]


def suggested(
    files: dict[str, Facts], *levels: Level, base: AppControlPolicy = BASE, context: AppControlContext = CONTEXT
) -> Suggestion:
    wish = Wish(level=levels[0], fallbacks=levels[1:]) if levels else Wish()
    return suggest(ac.policy_set(base), candidates(files, context), wish)


def allowed_with(
    suggestion: Suggestion, files: dict[str, Facts], base: AppControlPolicy = BASE, context: AppControlContext = CONTEXT
) -> set[str]:
    """The files that run once the written file is deployed beside its base."""
    policies = [base] if suggestion.policy is None else [base, read_policy(suggestion.xml, path="supplemental.xml")]
    compiled = compile_policy_set(join_policies(policies))
    return {
        path for path, facts in files.items() if evaluate(facts, compiled, context, target="t").decision is Decision.ALLOWED
    }


def levels_of(suggestion: Suggestion) -> dict[str, Level]:
    return {mended.path: mended.level for mended in suggestion.mended}


def test_a_file_that_the_rule_for_another_allows_is_told_with_it() -> None:
    """No version rule can be made for a file without a version, but one that asks for none in particular lets it run."""
    files = {"a.dll": file(has_version=False), "b.dll": file(version=(0, 0, 0, 0))}
    suggestion = suggested(files, Level.SIGNED_VERSION)
    assert levels_of(suggestion) == {"a.dll": Level.SIGNED_VERSION, "b.dll": Level.SIGNED_VERSION}
    assert suggestion.mended[0].notes[-1] == "the rule for b.dll allows it too"
    assert suggestion.unmended == ()
    assert allowed_with(suggestion, files) == set(files)
    alone = suggested({"a.dll": files["a.dll"]}, Level.SIGNED_VERSION)
    assert [one.path for one in alone.unmended] == ["a.dll"]


# --- what holds for all -----------------------------------------------------------------------------------------------

FILES = st.builds(
    file,
    who=st.sampled_from(["Contoso", "Fabrikam"]),
    is_signed=st.booleans(),
    valid=st.sampled_from([True, True, False]),
    key=st.sampled_from(["rsa", "rsa", "ec"]),
    programme=st.sampled_from([None, "Driver Maker"]),
    is_whql=st.booleans(),
    is_driver=st.booleans(),
    has_pages=st.booleans(),
    has_version=st.booleans(),
    version=st.sampled_from([None, (0, 0, 0, 0), (1, 0, 0, 0), (5, 0, 0, 0)]),
    problems=st.sampled_from([(), (), (ProblemCode.CHAIN_AMBIGUOUS,), (ProblemCode.CMS_NOT_DER,)]),
    is_odd=st.booleans(),
    path=st.sampled_from([f"file{n}.dll" for n in range(6)]),
)
TREES = st.lists(FILES, min_size=1, max_size=5).map(lambda listed: {f"{n}/app.dll": one for n, one in enumerate(listed)})
STRANGERS = st.lists(
    st.builds(
        file,
        path=st.sampled_from(["other.dll", "else.exe"]),
        who=st.just("Stranger"),
        is_signed=st.booleans(),
        is_whql=st.booleans(),
        is_driver=st.booleans(),
        programme=st.sampled_from([None, "Other Maker"]),
        has_version=st.booleans(),
        version=st.just((9, 0, 0, 0)),
    ),
    min_size=1,
    max_size=4,
).map(lambda listed: {f"stranger{n}": one for n, one in enumerate(listed)})
LEVELS = st.lists(st.sampled_from(Level), min_size=1, max_size=3, unique=True)
CONTEXTS = st.sampled_from(
    [
        CONTEXT,
        replace(CONTEXT, driver_signing_satisfied=None),
        replace(CONTEXT, install_path="C:\\App\\app.dll", is_user_writable=False),
    ]
)


@settings(max_examples=300, deadline=None)
@given(files=TREES, strangers=STRANGERS, levels=LEVELS, context=CONTEXTS)
def test_the_written_policy_allows_exactly_what_was_promised_and_no_stranger(
    files: dict[str, Facts], strangers: dict[str, Facts], levels: list[Level], context: AppControlContext
) -> None:
    suggestion = suggested(files, *levels, context=context)
    promised = {mended.path for mended in suggestion.mended}
    assert promised | {unmended.path for unmended in suggestion.unmended} | set(suggestion.untouched) == set(files)
    assert allowed_with(suggestion, files, context=context) == promised | set(suggestion.untouched)
    elsewhere = replace(context, install_path="C:\\Elsewhere\\x.dll") if context.install_path else context
    assert allowed_with(suggestion, strangers, context=elsewhere) == set()


@settings(max_examples=60, deadline=None)
@given(files=TREES, levels=LEVELS, seed=st.randoms())
def test_the_same_files_give_the_same_bytes_in_whatever_order(
    files: dict[str, Facts], levels: list[Level], seed: object
) -> None:
    listed = candidates(files)
    wish = Wish(level=levels[0], fallbacks=tuple(levels[1:]))
    first = suggest(ac.policy_set(BASE), listed, wish)
    seed.shuffle(listed)  # type: ignore[attr-defined]
    assert suggest(ac.policy_set(BASE), listed, wish) == first


# --- the policy -------------------------------------------------------------------------------------------------------


def test_the_policy_is_a_supplemental_of_its_base() -> None:
    policy = suggested({"app.dll": file()}).policy
    assert policy is not None
    assert (policy.kind, policy.base_policy_id) == (PolicyKind.SUPPLEMENTAL, BASE.policy_id)
    assert policy.policy_id not in (BASE.policy_id, Guid.read(f"{0:032x}"))
    assert policy.name == "Suggested for Fleet"
    assert policy.notes == ()


def test_other_files_give_a_policy_of_another_id() -> None:
    one, other = suggested({"a.dll": file("a.dll")}).policy, suggested({"b.dll": file("b.dll")}).policy
    assert one is not None
    assert other is not None
    assert one.policy_id != other.policy_id


def test_a_file_has_a_rule_for_each_of_its_four_hashes() -> None:
    policy = suggested({"app.dll": file(is_signed=False)}, Level.HASH).policy
    assert policy is not None
    rules = sorted(str(rule.friendly_name) for rule in policy.file_rules.values())
    assert rules == ["app.dll Hash Page Sha1", "app.dll Hash Page Sha256", "app.dll Hash Sha1", "app.dll Hash Sha256"]


def test_files_of_one_publisher_share_a_signer_with_an_attribute_each() -> None:
    policy = suggested({"a.dll": file("a.dll"), "b.dll": file("b.dll")}, Level.FILE_PUBLISHER).policy
    assert policy is not None
    (signer,) = policy.signers.values()
    assert [policy.file_rules[id].file_name for id in signer.file_attributes] in (["a.dll", "b.dll"], ["b.dll", "a.dll"])


def test_a_driver_is_allowed_in_the_kernel_scenario_alone() -> None:
    policy = suggested({"a.sys": file("a.sys", is_driver=True)}).policy
    assert policy is not None
    assert [scenario.value for scenario in policy.scenarios] == [131]


def test_what_runs_already_is_left_alone() -> None:
    suggestion = suggested({"app.dll": file()}, base=ac.policy(ac.allow(file_name="app.dll")))
    assert (suggestion.policy, suggestion.untouched) == (None, ("app.dll",))


# --- levels and fallbacks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "parts"),
    [
        (Level.PUBLISHER, ("Contoso Ltd", None, None)),
        (Level.LEAF_CERTIFICATE, (None, None, None)),
        (Level.PCA_CERTIFICATE, (None, None, None)),
        (Level.FILE_PUBLISHER, ("Contoso Ltd", "app.dll", 5 << 48)),
        (Level.SIGNED_VERSION, ("Contoso Ltd", "*", 5 << 48)),
    ],
)
def test_a_level_makes_its_signer(level: Level, parts: tuple[object, ...]) -> None:
    suggestion = suggested({"app.dll": file()}, level)
    assert levels_of(suggestion) == {"app.dll": level}
    assert suggestion.policy is not None
    (signer,) = suggestion.policy.signers.values()
    attribute = next((suggestion.policy.file_rules[id] for id in signer.file_attributes), None)
    found = (signer.publisher, attribute and attribute.file_name, attribute and attribute.versions.minimum)
    assert found == parts
    whose = ("Contoso Ltd", "Contoso CA") if level is Level.LEAF_CERTIFICATE else ("Contoso CA", "Contoso Root")
    assert signer.root.value.hex() == f.tbs(*whose)


@pytest.mark.parametrize("level", [Level.WHQL, Level.WHQL_PUBLISHER, Level.WHQL_FILE_PUBLISHER])
def test_a_whql_level_needs_a_whql_signature(level: Level) -> None:
    files = {
        "a.sys": file("a.sys", is_driver=True, is_whql=True, programme="Driver Maker"),
        "b.sys": file("b.sys", is_driver=True),
    }
    suggestion = suggested(files, level)
    assert levels_of(suggestion) == {"a.sys": level}
    assert "carries no WHQL signature" in suggestion.unmended[0].why[0]
    assert suggestion.policy is not None
    (signer,) = suggestion.policy.signers.values()
    assert signer.oem_id == (None if level is Level.WHQL else "Driver Maker")


def test_a_broken_signature_falls_back_to_the_hash_and_says_so() -> None:
    suggestion = suggested({"app.dll": file(valid=False)})
    (mended,) = suggestion.mended
    assert mended.level is Level.HASH
    assert "no rule of level FilePublisher: its signature does not hold" in mended.notes[0]


def test_a_signature_that_the_engine_does_not_honour_falls_back_and_says_so() -> None:
    (mended,) = suggested({"app.dll": file(key="ec")}).mended
    assert mended.level is Level.HASH
    assert "elliptic-curve" in mended.notes[0]


def test_a_file_without_a_name_falls_back_in_the_given_order() -> None:
    (mended,) = suggested({"app.dll": file(has_version=False)}, Level.FILE_PUBLISHER, Level.FILE_NAME, Level.PUBLISHER).mended
    assert mended.level is Level.PUBLISHER
    assert len(mended.notes) == 2


@pytest.mark.parametrize("name", ["*", "*.dll", "app?.dll"])
def test_a_name_with_a_wildcard_is_never_taken_for_a_rule(name: str) -> None:
    suggestion = suggested({"app.dll": file(name=name)}, Level.FILE_NAME, Level.FILE_PUBLISHER)
    assert suggestion.policy is None
    assert "would allow other files" in suggestion.unmended[0].why[0]


def test_a_name_that_xml_cannot_hold_is_never_changed() -> None:
    suggestion = suggested({"app.dll": file(name="a\x01.dll")}, Level.FILE_NAME)
    assert "XML cannot hold" in suggestion.unmended[0].why[0]


def test_a_path_that_is_hostile_is_written_harmlessly() -> None:
    path = 'x"><Deny \x1b[31m\ud800.dll'
    suggestion = suggested({path: file()}, Level.HASH)
    assert allowed_with(suggestion, {path: file()}) == {path}
    assert b"\x1b" not in suggestion.xml


def test_a_path_rule_needs_the_path_on_the_target() -> None:
    told = replace(CONTEXT, install_path="C:\\App\\app.dll", is_user_writable=False)
    assert suggested({"app.dll": file()}, Level.FILE_PATH).mended == ()
    suggestion = suggested({"app.dll": file()}, Level.FILE_PATH, context=told)
    assert suggestion.policy is not None
    assert [rule.file_path for rule in suggestion.policy.file_rules.values()] == ["C:\\App\\app.dll"]


# --- what cannot be mended --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "base",
    [
        ac.policy(ac.deny(file_name="app.dll")),
        ac.policy(signers=[ac.signer(tbs=f.tbs("Contoso CA", "Contoso Root"))], denied=[ac.use()]),
    ],
)
def test_an_explicit_denial_cannot_be_mended(base: AppControlPolicy) -> None:
    suggestion = suggested({"app.dll": file()}, base=base)
    assert suggestion.policy is None
    assert "a deny rule wins over every allow rule" in suggestion.unmended[0].why[0]


def test_a_driver_that_windows_itself_may_refuse_stays_unmended() -> None:
    files = {"a.sys": file("a.sys", is_driver=True)}
    suggestion = suggested(files, context=AppControlContext(evaluated_at=f.NOW))
    assert suggestion.policy is None
    assert any("driver" in why for why in suggestion.unmended[0].why)


def test_a_base_that_takes_no_supplementals_is_refused() -> None:
    with pytest.raises(UsageError, match="takes no supplemental policies"):
        suggested({"app.dll": file()}, base=ac.policy(options={Option.UMCI}))


def test_a_signed_base_needs_the_policy_signed_and_is_told() -> None:
    base = ac.policy(options={Option.UMCI, Option.ALLOW_SUPPLEMENTAL_POLICIES})
    suggestion = suggested({"app.dll": file()}, base=base)
    assert suggestion.policy is not None
    assert Option.UNSIGNED_POLICY not in suggestion.policy.options
    assert "signed policy" in suggestion.caveats[0]


def test_of_several_bases_one_has_to_be_named() -> None:
    other = ac.policy(ac.allow(file_name="*"), name="Other", number=2)
    policies = ac.policy_set(BASE, other)
    with pytest.raises(UsageError, match="not clear which base"):
        suggest(policies, candidates({"app.dll": file()}))
    named = suggest(policies, candidates({"app.dll": file()}), Wish(base_id=BASE.policy_id))
    assert [mended.path for mended in named.mended] == ["app.dll"]
    wrong = suggest(policies, candidates({"app.dll": file()}), Wish(base_id=other.policy_id))
    assert wrong.policy is None


def test_no_rule_of_a_suggestion_denies() -> None:
    policy = suggested({"app.dll": file(), "b.dll": file("b.dll", is_signed=False)}).policy
    assert policy is not None
    assert FileRuleKind.DENY not in {rule.kind for rule in policy.file_rules.values()}
