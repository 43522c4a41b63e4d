"""From a build to a deployment: attest in one place, ask in another."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.builders.attestations import ed25519_key, p256_key, write_key
from tests.cli.conftest import Build, Command


@pytest.fixture
def saved(gate: Command, build: Build) -> Path:
    """A saved result of a build with an allowed and a denied file; keys lie beside it."""
    write_key(ed25519_key(), build.root)
    gate(*build.with_denied().check(), "-o", f"json={build.root}/r.json")
    return build.root


def attest(gate: Command, saved: Path, *more: str) -> int:
    return gate("attest", saved / "r.json", "--key", saved / "key.pem", "-o", saved / "a.json", *more).code


def test_what_is_allowed_is_attested_and_what_is_not_is_told_and_fails(gate: Command, saved: Path) -> None:
    outcome = gate("attest", saved / "r.json", "--key", saved / "key.pem", "-o", saved / "a.json")
    assert outcome.code == 1
    assert outcome.err == "1 artifact attested for policy, 1 left out: not allowed, or in doubt\n"
    verified = gate("verify-attestation", saved / "a.json", "--key", saved / "key.pub", "--artifact", saved / "build/good.dll")
    assert verified.code == 0
    assert verified.out.startswith("verified: 1 digests allowed on policy by 1 policies")
    refused = gate("verify-attestation", saved / "a.json", "--key", saved / "key.pub", "--artifact", saved / "build/bad.dll")
    assert refused.code == 1
    assert refused.out.startswith(f"refused: {saved}/build/bad.dll ")


def test_a_green_build_is_attested_in_full(gate: Command, build: Build) -> None:
    write_key(ed25519_key(), build.root)
    gate(*build.check(), "-o", f"json={build.root}/r.json")
    assert attest(gate, build.root) == 0


def test_a_file_that_changed_since_is_refused(gate: Command, saved: Path) -> None:
    attest(gate, saved)
    good = saved / "build/good.dll"
    good.write_bytes(good.read_bytes() + b"\0")
    assert gate("verify-attestation", saved / "a.json", "--key", saved / "key.pub", "--artifact", good).code == 1


def test_the_policies_of_the_target_can_be_demanded(gate: Command, saved: Path) -> None:
    attest(gate, saved)
    ask = ("verify-attestation", saved / "a.json", "--key", saved / "key.pub", "--policy-sha256")
    assert gate(*ask, hashlib.sha256((saved / "policy.xml").read_bytes()).hexdigest().upper()).code == 0
    assert gate(*ask, "0" * 64).code == 1
    assert gate(*ask, "0" * 63).code == 2


def test_it_always_says_what_it_does_not_check(gate: Command, saved: Path) -> None:
    attest(gate, saved)
    out = gate("verify-attestation", saved / "a.json", "--key", saved / "key.pub").out
    assert "not checked: any file: not asked" in out
    assert "not checked: that the target has these policies today" in out


def test_a_vsa_needs_the_resource_that_it_is_about(gate: Command, saved: Path) -> None:
    assert attest(gate, saved, "--predicate", "vsa") == 2
    assert attest(gate, saved, "--predicate", "vsa", "--resource-uri", "pkg:generic/agent@1") == 1
    assert gate("verify-attestation", saved / "a.json", "--key", saved / "key.pub").code == 0


def test_where_nothing_is_allowed_nothing_is_written(gate: Command, build: Build) -> None:
    write_key(ed25519_key(), build.root)
    (build.with_denied().output / "good.dll").unlink()
    gate(*build.check(), "-o", f"json={build.root}/r.json")
    assert attest(gate, build.root) == 1
    assert not (build.root / "a.json").exists()


def test_one_who_says_it_under_another_name_is_not_taken_for_the_gate(gate: Command, saved: Path) -> None:
    attest(gate, saved, "--verifier-id", "https://ci.example/gate")
    ask = ("verify-attestation", saved / "a.json", "--key", saved / "key.pub")
    assert gate(*ask).code == 1
    assert gate(*ask, "--verifier-id", "https://ci.example/gate").code == 0


def test_a_public_key_of_another_key_is_found_before_anything_is_written(gate: Command, saved: Path) -> None:
    pytest.importorskip("securesystemslib.signer")
    write_key(p256_key(), saved, "other")
    outcome = gate(
        *("attest", saved / "r.json", "--key", f"file2:{saved}/key.pem", "--public-key", saved / "other.pub"),
        *("-o", saved / "a.json"),
    )
    assert outcome.code == 2
    assert not (saved / "a.json").exists()


def test_unknown_targets_and_unreadable_files_are_usage_errors(gate: Command, saved: Path) -> None:
    assert attest(gate, saved, "--target", "production") == 2
    assert gate("attest", saved / "nowhere.json", "--key", saved / "key.pem").code == 2
    assert gate("verify-attestation", saved / "nowhere.json", "--key", saved / "key.pub").code == 2
    attest(gate, saved)
    assert gate("verify-attestation", saved / "a.json", "--key", saved / "key.pub", "--artifact", saved / "gone").code == 2


def test_on_stdout_stands_the_envelope_alone(gate: Command, saved: Path) -> None:
    outcome = gate("attest", saved / "r.json", "--key", saved / "key.pem")
    assert json.loads(outcome.out)["payloadType"] == "application/vnd.in-toto+json"
