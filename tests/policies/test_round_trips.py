from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csv_gate.errors import PolicyError
from csv_gate.model.appcontrol import AppControlPolicy
from csv_gate.policies import read_policy, write_binary, write_xml
from tests.builders.policy import (
    SHA256,
    element,
    meaning,
    policy_xml,
    scenario_xml,
    signer_xml,
)
from tests.builders.policy_strategies import policies
from tests.builders.signed_policy import signed_policy
from tests.builders.steps import soon

slow = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None, max_examples=40)


@slow
@given(policies())
def test_a_policy_written_as_xml_reads_back_as_itself(policy: AppControlPolicy) -> None:
    assert meaning(read_policy(write_xml(policy), path="p")) == meaning(policy)


@slow
@given(policies())
def test_a_compiled_policy_compiles_to_the_same_bytes_again_directly_and_by_way_of_xml(policy: AppControlPolicy) -> None:
    compiled = write_binary(policy)
    read = read_policy(compiled, path="p")
    assert write_binary(read) == compiled
    again = read_policy(write_xml(read), path="p")
    assert meaning(again) == meaning(read)
    assert write_binary(again, format_version=read.format_version) == compiled


@slow
@given(policies())
def test_compiling_keeps_what_a_policy_means(policy: AppControlPolicy) -> None:
    read = read_policy(write_binary(policy), path="p")
    assert (read.kind, read.version, read.policy_id, read.base_policy_id) == (
        policy.kind,
        policy.version,
        policy.policy_id,
        policy.base_policy_id,
    )
    assert read.options >= policy.options
    assert sorted(map(str, map(_bare, read.file_rules.values()))) == sorted(map(str, map(_bare, policy.file_rules.values())))
    assert [(s.root, s.issuer, s.publisher, s.oem_id, s.sign_time_after) for s in read.signers.values()] == [
        (s.root, s.issuer, s.publisher, s.oem_id, s.sign_time_after) for s in policy.signers.values()
    ]
    for mine, theirs in zip(read.scenarios, policy.scenarios, strict=True):
        assert (mine.value, mine.minimum_hash_algorithm) == (theirs.value, theirs.minimum_hash_algorithm)
        assert sorted(str(_bare(read.file_rules[rule])) for rule in mine.product.file_rules) == sorted(
            str(_bare(policy.file_rules[rule])) for rule in theirs.product.file_rules
        )


def _bare(rule: object) -> tuple[object, ...]:
    names = (
        "kind",
        "hash",
        "file_name",
        "internal_name",
        "file_path",
        "package_family_name",
        "package_version",
        "versions",
        "app_ids",
    )
    return tuple(getattr(rule, name) for name in names)


def sample() -> bytes:
    return policy_xml(
        ekus=[element("EKU", ID="ID_EKU_A", Value="010A2B0601040182370A0306")],
        file_rules=[
            element("Allow", ID="ID_ALLOW_A", FileName="a.exe", ProductName="P", MinimumFileVersion="1.0.0.0"),
            element("Deny", ID="ID_DENY_D", Hash=SHA256),
            element("Allow", ID="ID_ALLOW_P", FilePath="%OSDRIVE%\\x\\*", AppIDs="$(M)$(N)"),
            element("FileAttrib", ID="ID_FILEATTRIB_F", FileName="f.dll"),
        ],
        artifact_rules=[element("ArtifactRule", ID="ID_ARTIFACT_A", ArtifactType="CIM", Action="Deny")],
        signers=[
            signer_xml(
                "ID_SIGNER_S", element("CertEKU", ID="ID_EKU_A", Condition="Except"), SignTimeAfter="2024-01-02T03:04:05Z"
            ),
            signer_xml(
                "ID_SIGNER_T",
                element("FileAttribRef", RuleID="ID_FILEATTRIB_F"),
                element("ArtifactRuleRef", RuleID="ID_ARTIFACT_A"),
            ),
        ],
        scenarios=[
            scenario_xml(
                value="12",
                rules=["ID_ALLOW_A", "ID_ALLOW_P"],
                denied=["ID_SIGNER_S"],
                allowed=[element("AllowedSigner", element("ExceptDenyRule", DenyRuleID="ID_DENY_D"), SignerId="ID_SIGNER_T")],
            ),
            scenario_xml(value="131", InheritedScenarios="ID_SIGNINGSCENARIO_V_12"),
        ],
        settings=[element("Setting", element("Value", element("DWord", "7")), Provider="P", Key="K", ValueName="V")],
        macros=[element("Macro", Id="M", Value="m.exe"), element("Macro", Id="N", Value="n.exe")],
    )


def refusal(data: bytes) -> PolicyError | None:
    try:
        read_policy(data, path="p")
    except PolicyError as error:
        return error
    return None


def mutated(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        position = chance.randrange(len(changed) + 1)
        match chance.randrange(5):
            case 0:
                del changed[position:]
            case 1:
                changed[position:position] = chance.randbytes(chance.randint(1, 6))
            case 2:
                del changed[position : position + chance.randint(1, 8)]
            case 3:
                source = chance.randrange(len(changed) + 1)
                changed[position:position] = changed[source : source + chance.randint(1, 80)]
            case _:
                changed[position : position + 1] = chance.choice(
                    [b"\0", b"\xff", b"\x01", b"<", b"&", b'"', chance.randbytes(1)]
                )
        if not changed:
            break
    return bytes(changed)


@pytest.mark.parametrize(("form", "times"), [("xml", 1500), ("utf-16", 1500), ("compiled", 1500), ("signed", 300)])
def test_damaged_policies_raise_policy_errors_and_nothing_else(form: str, times: int) -> None:
    whole = sample()
    compiled = write_binary(read_policy(whole, path="p"))
    data = {
        "xml": whole,
        "utf-16": whole.decode().replace("utf-8", "utf-16").encode("utf-16"),
        "compiled": compiled,
        "signed": signed_policy(compiled),
    }[form]
    chance = random.Random(form)
    refused = 0
    for _ in range(times):
        damaged = mutated(data, chance)
        with soon():
            error = refusal(damaged)
        if error is not None:
            assert error.place is not None
            refused += 1
    assert refused > times // 4


@pytest.mark.parametrize("offset", range(0, 0x48, 4))
def test_every_word_of_the_header_may_be_anything(offset: int) -> None:
    data = write_binary(read_policy(sample(), path="p"))
    for word in (0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF):
        damaged = data[:offset] + word.to_bytes(4, "little") + data[offset + 4 :]
        try:
            policy = read_policy(damaged, path="p")
        except PolicyError:
            continue
        assert write_binary(policy)[: len(damaged)]


def test_every_cut_of_a_compiled_policy_is_refused_at_its_end() -> None:
    data = write_binary(read_policy(sample(), path="p"))
    for size in range(len(data)):
        with pytest.raises(PolicyError) as raised:
            read_policy(data[:size], path="p")
        assert raised.value.place is not None
        assert (raised.value.place.offset or 0) <= size


@given(st.binary(max_size=400))
def test_any_bytes_are_a_policy_or_a_policy_error(data: bytes) -> None:
    for head in (b"", b"\x07\0\0\0", b"<SiPolicy xmlns='urn:schemas-microsoft-com:sipolicy'>"):
        error = refusal(head + data)
        assert error is None or error.expected
