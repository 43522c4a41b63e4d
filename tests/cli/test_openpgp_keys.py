"""Keys of OpenPGP signers on the command line and in the configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders import openpgp as pgp
from tests.builders.containers import zip_of
from tests.builders.linux_packages import Rpm, ar, deb_members, debsigs
from tests.builders.tree import tree
from tests.cli.conftest import Build, Command

KEY = pgp.ed()
CERTIFICATE = pgp.certificate(KEY)
MEMBERS = deb_members()
SIGNED_RPM = Rpm(header_key=KEY).build()
SIGNED_DEB = ar([*MEMBERS, debsigs(MEMBERS, KEY)])


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    return tree(
        tmp_path / "out",
        {
            "a.rpm": SIGNED_RPM,
            "b.deb": SIGNED_DEB,
            "key.asc": pgp.armored(CERTIFICATE, "PUBLIC KEY BLOCK"),
            "other.gpg": pgp.certificate(pgp.ed(1)),
        },
    )


def facts(gate: Command, *arguments: str | Path) -> dict[str, Any]:
    done = gate("inspect", "--json", *arguments)
    assert not done.err
    return {row["path"]: row["facts"] for row in map(json.loads, done.out.splitlines())}


def test_inspect_verifies_packages_with_the_keys_that_are_given(gate: Command, packages: Path) -> None:
    rpm, deb = packages / "a.rpm", packages / "b.deb"
    found = facts(gate, rpm, deb, "--openpgp-key", packages / "other.gpg", "--openpgp-key", packages / "key.asc")
    for path in (rpm, deb):
        (signature,) = found[str(path)]["signatures"]
        assert signature["valid"]
        assert signature["key"]["fingerprint"] == KEY.fingerprint.hex()
        assert found[str(path)]["package"]["name"] == "tool"


def test_without_the_key_inspect_says_that_it_is_unknown(gate: Command, packages: Path) -> None:
    (signature,) = facts(gate, packages / "a.rpm", "--openpgp-key", packages / "other.gpg")[str(packages / "a.rpm")][
        "signatures"
    ]
    assert not signature["valid"]
    assert not signature["key"]["is_given"]
    assert "key unknown" in gate("inspect", packages / "b.deb").out


def findings(gate: Command, *arguments: str | Path) -> dict[str, list[str]]:
    done = gate(*arguments, "--output", "json")
    return {
        row["path"].rpartition("/")[2]: [finding["check"] for finding in row["findings"]]
        for row in json.loads(done.out)["artifacts"]
    }


def test_check_tells_packages_by_the_keys_of_flag_and_configuration(gate: Command, build: Build) -> None:
    tree(build.output, {"a.rpm": SIGNED_RPM, "bad.rpm": Rpm(header_key=KEY, shipped=b"other").build(), "b.deb": SIGNED_DEB})
    tree(build.root, {"release.gpg": CERTIFICATE, "csv-gate.yaml": b"version: 1\nopenpgp_keys: [release.gpg]\n"})
    unknown = findings(gate, *build.check())
    assert "CSV341" in unknown["a.rpm"]
    assert "CSV341" in unknown["b.deb"]
    known = [arguments for arguments in build.check() if arguments != "--no-config"]
    for given in (
        findings(gate, *build.check(), "--openpgp-key", build.root / "release.gpg"),
        findings(gate, *known, "--config", build.root / "csv-gate.yaml"),
    ):
        assert "CSV341" not in given.get("a.rpm", []) + given.get("b.deb", [])
        assert "CSV101" in given["bad.rpm"]
        assert "CSV343" in given["bad.rpm"]


def test_a_package_is_told_though_no_target_judges_anything_in_it(gate: Command, build: Build) -> None:
    other = deb_members(data=b"other")
    broken = ar([*other, debsigs(MEMBERS, KEY)])
    tree(build.output, {"b.deb": broken, "all.zip": zip_of({"inner.deb": broken, "unsigned.deb": ar(MEMBERS)})})
    found = findings(gate, *build.check())
    assert "CSV101" in found["b.deb"]
    assert "CSV101" in found["inner.deb"]
    assert "unsigned.deb" not in found


@pytest.mark.parametrize("content", [b"no key", None])
def test_a_file_that_holds_no_keys_is_told_with_its_path(gate: Command, build: Build, content: bytes | None) -> None:
    if content is not None:
        tree(build.root, {"key.asc": content})
    for command in (("inspect", build.output), build.check()):
        done = gate(*command, "--openpgp-key", build.root / "key.asc")
        assert done.code == 2
        assert "key.asc" in done.err
        assert "OpenPGP" in done.err
