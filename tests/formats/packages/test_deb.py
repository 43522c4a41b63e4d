"""Debian packages: what the signatures in them reach."""

from __future__ import annotations

import lzma

import pytest

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model.facts import Facts, PackageFacts, SignatureScheme
from csv_gate.model.problems import ProblemCode
from tests.builders import openpgp as pgp
from tests.builders.linux_packages import CONTROL, ar, deb_members, debsigs, dpkg_sig, tarball

KEY = pgp.ed()
KEYS = (pgp.certificate(KEY),)
MEMBERS = deb_members()
SIGNED = [*MEMBERS, debsigs(MEMBERS, KEY)]
EXTRA = ("data.tar.xz", b"evil")


def read(members: list[tuple[str, bytes]], keys: tuple[bytes, ...] = KEYS) -> Facts:
    facts = extract(ar(members), ExtractionSettings(openpgp_keys=keys), name="tool.deb")
    assert facts.format == "deb"
    return facts


def signature_codes(facts: Facts) -> set[ProblemCode]:
    return {problem.code for one in facts.signatures for problem in one.problems}


def test_an_unsigned_package_says_who_it_is() -> None:
    facts = read(MEMBERS)
    assert facts.package == PackageFacts(
        name="tool", version="1.2-3", publisher="Someone <s@example.invalid>", architecture="amd64"
    )
    assert facts.signatures == ()
    assert not facts.problems


@pytest.mark.parametrize("role", ["origin", "maint", "archive"])
def test_a_signature_over_the_three_members_is_valid(role: str) -> None:
    facts = read([*MEMBERS, debsigs(MEMBERS, KEY, role)])
    (signature,) = facts.signatures
    assert signature.valid
    assert (signature.scheme, signature.role, signature.place) == (SignatureScheme.DEB, role, f"_gpg{role}")
    assert facts.package is not None
    assert facts.package.uncovered == ()


def test_an_armored_signature_counts_and_an_unknown_key_is_told() -> None:
    name, octets = debsigs(MEMBERS, KEY)
    assert read([*MEMBERS, (name, pgp.armored(octets))]).signatures[0].valid
    facts = read(SIGNED, ())
    assert not facts.signatures[0].valid
    assert signature_codes(facts) == {ProblemCode.OPENPGP_KEY_UNKNOWN}


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_changed_member_is_not_what_was_signed(number: int) -> None:
    members = list(SIGNED)
    name, content = members[number]
    members[number] = (name, content[:-1] + b"?")
    facts = read(members)
    assert not facts.signatures[0].valid
    assert signature_codes(facts) == {ProblemCode.DIGEST_MISMATCH}


@pytest.mark.parametrize(
    "members",
    [
        [*SIGNED, EXTRA],
        [*MEMBERS, EXTRA, SIGNED[3]],
        [*MEMBERS[:2], EXTRA, MEMBERS[2], SIGNED[3]],
        [*SIGNED, MEMBERS[2]],
        [MEMBERS[0], SIGNED[3], *MEMBERS[1:]],
        [MEMBERS[0], MEMBERS[2], MEMBERS[1], SIGNED[3]],
        [*SIGNED, SIGNED[3]],
        [*SIGNED, ("_extra", b"x")],
        [("debian-binary ", b""), *SIGNED],
        [*MEMBERS[:1], ("_x", b""), *MEMBERS[1:], SIGNED[3]],
    ],
    ids=[
        "behind",
        "before the signature",
        "before the data",
        "data twice",
        "signature second",
        "misordered",
        "signature twice",
        "unknown",
        "binary twice",
        "underscore between",
    ],
)
def test_no_signature_counts_in_a_package_that_is_laid_out_otherwise(members: list[tuple[str, bytes]]) -> None:
    facts = read(members)
    assert facts.signatures
    assert not any(one.valid for one in facts.signatures)
    assert ProblemCode.DEB_LAYOUT in signature_codes(facts)


def test_members_that_no_signature_reaches_are_told() -> None:
    facts = read([*SIGNED, EXTRA])
    assert facts.package is not None
    assert (facts.package.uncovered, facts.package.uncovered_count) == (("data.tar.xz",), 1)


def test_the_list_of_dpkg_sig_is_checked_but_its_digests_are_too_weak_to_count() -> None:
    facts = read([*MEMBERS, dpkg_sig(MEMBERS, KEY)])
    (signature,) = facts.signatures
    assert signature.role == "builder"
    assert signature.digest_matches is True
    assert not signature.valid
    assert signature_codes(facts) == {ProblemCode.WEAK_DIGEST}
    assert facts.package is not None
    assert facts.package.digests_match is True


@pytest.mark.parametrize(
    "listed", [deb_members(data=b"other"), MEMBERS[:2], [*MEMBERS, ("ghost", b"")]], ids=["other", "one fewer", "one more"]
)
def test_a_list_that_does_not_fit_the_members_is_told(listed: list[tuple[str, bytes]]) -> None:
    facts = read([*MEMBERS, dpkg_sig(listed, KEY)])
    assert facts.package is not None
    assert facts.package.digests_match is False
    assert ProblemCode.DIGEST_MISMATCH in signature_codes(facts)


def test_text_signatures_do_not_count_over_binary_members() -> None:
    assert not read([*MEMBERS, debsigs(MEMBERS, KEY, type=1)]).signatures[0].valid


def test_a_signature_too_large_to_be_one_is_malformed() -> None:
    facts = read([*MEMBERS, ("_gpgorigin", bytes((1 << 20) + 1))])
    assert signature_codes(facts) == {ProblemCode.OPENPGP_MALFORMED}


def test_control_archives_of_other_kinds_are_read_where_they_can_be() -> None:
    plain = tarball([("control", CONTROL.encode())])
    for name, packed, expected in (
        ("control.tar", plain, "tool"),
        ("control.tar.xz", lzma.compress(plain), "tool"),
        ("control.tar.zst", b"\x28\xb5\x2f\xfd", None),
        ("control.tar.gz", b"damaged", None),
        ("control.tar", plain[:500], None),
        ("control.tar", tarball([("./other", b"Package: x\n")]), None),
    ):
        facts = read([MEMBERS[0], (name, packed), MEMBERS[2]])
        assert facts.package is not None
        assert facts.package.name == expected, name


def test_a_field_that_is_there_twice_is_not_told() -> None:
    facts = read(deb_members(control=CONTROL + "Package: other\n"))
    assert facts.package is not None
    assert facts.package.name is None
    assert facts.package.version == "1.2-3"


@pytest.mark.parametrize(
    "octets",
    [
        ar(MEMBERS)[:-20],
        ar(MEMBERS) + b"trailing data behind the last member, more than a header has in all",
        ar([*MEMBERS, ("//", b"long names")]),
        ar([*MEMBERS, ("#1/4", b"name")]),
        ar([MEMBERS[0]] * 65),
        ar(MEMBERS).replace(b"`\n", b"`x", 2),
    ],
    ids=["cut", "trailing", "long names", "other long names", "too many", "header"],
)
def test_a_damaged_archive_leaves_a_gap(octets: bytes) -> None:
    facts = extract(octets, ExtractionSettings(openpgp_keys=KEYS), name="tool.deb")
    assert facts.signatures == ()
    assert facts.gaps
