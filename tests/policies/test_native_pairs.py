"""Policies of real vendors, and binaries that Windows' own compiler made; read from the corpus folder where there is one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from csv_gate.errors import PolicyError
from csv_gate.model.appcontrol import AppControlPolicy, Option, PolicyKind, version_text
from csv_gate.policies import join_policies, load_policy, read_policy, write_binary, write_xml
from csv_gate.policies.binary_layout import file_rule_key
from tests.builders.policy import meaning
from tests.builders.steps import few_steps

CORPUS = Path(os.environ.get("CSV_GATE_CORPUS", "")) / "appcontrol"
pytestmark = pytest.mark.skipif("CSV_GATE_CORPUS" not in os.environ, reason="CSV_GATE_CORPUS is not set")

NEGATIVES = {"invalid/sakirm-BasePolicy.xml": "Policy", "aaronlocker/events-3033-3089-3077-3099.xml": "Events"}
NATIVE = {
    "simeon/WDAC_V1_Default_Audit.bin": (7, 0x9A890504, 5, 0, 414, "10.0.0.1", "39022ae9-83c0-49f6-81b9-b1ccd1871eda"),
    "simeon/WDAC_V1_Default_Audit.cip": (7, 0x9A890504, 5, 0, 414, "10.0.0.1", "39022ae9-83c0-49f6-81b9-b1ccd1871eda"),
    "simeon/WDAC_V1_Default_Enforced.bin": (7, 0x9A880504, 5, 0, 414, "10.0.0.1", "39022ae9-83c0-49f6-81b9-b1ccd1871eda"),
    "simeon/WDAC_V1_Default_Enforced.cip": (7, 0x9A880504, 5, 0, 414, "10.0.0.1", "39022ae9-83c0-49f6-81b9-b1ccd1871eda"),
    "binary/wizard-converter-test.bin": (7, 0x82890000, 0, 36, 36, "10.0.0.0", "784c4414-79f4-4c32-a6a5-f0fb42a51d0d"),
    "aaronlocker/aa120602-611b-4455-b8d8-c13a815b4323.cip": (
        8,
        0x91880404,
        0,
        6,
        0,
        "10.0.0.0",
        "aa120602-611b-4455-b8d8-c13a815b4323",
    ),
}
"""Format, option word, EKUs, rules, signers, version and id, as an independent parser read them."""


def policy_files() -> list[Path]:
    found = [path for suffix in ("xml", "bin", "cip") for path in CORPUS.rglob(f"*.{suffix}")]
    return sorted(path for path in found if path.relative_to(CORPUS).as_posix() not in NEGATIVES)


@pytest.mark.parametrize("path", policy_files(), ids=lambda path: path.name)
def test_every_real_policy_loads_quickly_and_survives_both_forms(path: Path) -> None:
    with few_steps():
        policy = load_policy(path)
    assert meaning(read_policy(write_xml(policy), path="p")) == meaning(policy)
    compiled = write_binary(policy)
    read = read_policy(compiled, path="p")
    assert write_binary(read) == compiled
    assert write_binary(read_policy(write_xml(read), path="p"), format_version=read.format_version) == compiled


@pytest.mark.parametrize("name", NEGATIVES)
def test_what_only_looks_like_a_policy_is_refused_for_its_root(name: str) -> None:
    with pytest.raises(PolicyError, match="is not an App Control policy") as raised:
        load_policy(CORPUS / name)
    assert raised.value.place is not None
    assert raised.value.place.line == (2 if name.startswith("invalid") else 1)
    assert raised.value.got is not None
    assert raised.value.got.startswith(f"<{NEGATIVES[name]}>")


@pytest.mark.parametrize("name", NATIVE)
def test_native_binaries_read_as_an_independent_parser_reads_them_and_compile_to_themselves(name: str) -> None:
    policy = load_policy(CORPUS / name)
    data = (CORPUS / name).read_bytes()
    version, word, ekus, rules, signers, policy_version, policy_id = NATIVE[name]
    assert policy.format_version == version
    assert int.from_bytes(data[0x24:0x28], "little") == word
    assert policy.unknown_option_bits == 0
    assert (len(policy.ekus), len(policy.file_rules), len(policy.signers)) == (ekus, rules, signers)
    assert [scenario.value for scenario in policy.scenarios] == [131, 12]
    assert version_text(policy.version) == policy_version
    assert str(policy.policy_id) == str(policy.base_policy_id) == policy_id
    assert write_binary(policy) == data
    assert write_binary(read_policy(write_xml(policy), path="p"), format_version=version) == data
    for cut in (data[:-1], data + b"\0"):
        with pytest.raises(PolicyError, match=r"ends inside the end tag|bytes follow the end tag"):
            read_policy(cut, path="p")


@pytest.mark.parametrize("mode", ["Audit", "Enforced"])
@pytest.mark.parametrize("form", ["bin", "cip"])
def test_the_default_policies_compile_to_the_bytes_of_the_native_compiler(mode: str, form: str) -> None:
    source = CORPUS / "simeon" / f"WDAC_V1_Default_{mode}.xml"
    assert write_binary(load_policy(source)) == source.with_suffix(f".{form}").read_bytes()


def test_the_block_policy_compiles_to_the_native_one_up_to_the_order_of_equal_keys() -> None:
    native = load_policy(next(CORPUS.glob("aaronlocker/*.cip")))
    mine = read_policy(write_binary(load_policy(CORPUS / "aaronlocker/block-1903plus.xml"), format_version=8), path="p")
    assert _tied(mine) == _tied(native)
    assert [file_rule_key(rule) for rule in mine.file_rules.values()] == [
        file_rule_key(rule) for rule in native.file_rules.values()
    ]


def _tied(policy: AppControlPolicy) -> object:
    """The policy with rules named by what they say instead of by their position."""
    rules = {
        rule_id: repr((file_rule_key(rule), rule.versions.minimum, rule.versions.maximum, rule.app_ids))
        for rule_id, rule in policy.file_rules.items()
    }
    return (
        policy.kind,
        policy.options,
        policy.version,
        policy.settings,
        policy.policy_id,
        sorted(rules.values()),
        [(s.value, sorted(rules[name] for name in s.product.file_rules)) for s in policy.scenarios],
    )


def test_the_full_coverage_base_keeps_everything_through_the_compiled_form() -> None:
    policy = load_policy(CORPUS / "acm/FullCoverage.Base.xml")
    read = read_policy(write_binary(policy), path="p")
    assert read.format_version == 11
    assert read.options == policy.options
    assert Option.DISABLED_CERTIFICATE_REMAPPING in read.options
    assert len(read.settings) == len(policy.settings)
    assert [scenario.appid_tags for scenario in read.scenarios] == [scenario.appid_tags for scenario in policy.scenarios]
    assert sorted(rule.app_ids for rule in read.file_rules.values()) == sorted(
        rule.app_ids for rule in policy.file_rules.values()
    )
    assert [[(c.eku.oid, c.is_except) for c in signer.ekus] for signer in read.signers.values()] == [
        [(c.eku.oid, c.is_except) for c in signer.ekus] for signer in policy.signers.values()
    ]
    assert {rule.hash for rule in read.artifact_rules.values()} == {rule.hash for rule in policy.artifact_rules.values()}


def test_the_coverage_policies_join_into_one_base_with_its_supplemental() -> None:
    policies = [load_policy(path) for path in sorted(CORPUS.glob("acm/FullCoverage.*.xml"))]
    joined = join_policies(policies)
    assert [[extra.name for extra in entry.supplementals] for entry in joined.bases] == [["Full Coverage Supplemental Policy"]]
    assert [policy.kind for policy in joined.tagging] == [PolicyKind.APPID_TAGGING]
    assert joined.orphans == ()
    assert joined.uncertainties == ()
