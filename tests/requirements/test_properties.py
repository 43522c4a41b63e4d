"""What always holds: a requirement more makes nothing green, and what is not known meets nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from csv_gate.errors import ExitCode, NoArtifactsError
from csv_gate.gate import Plan, run
from csv_gate.globs import GlobSet
from csv_gate.model.facts import FactName, Gap, SignatureScheme, SignatureSource
from csv_gate.model.verdict import Level
from csv_gate.requirements import (
    Demands,
    Expiry,
    KeyBits,
    Listed,
    RequirementSet,
    Signer,
    Stamp,
    TestNames,
    Wanted,
    findings_for,
)
from tests.builders import ca
from tests.builders.containers import nupkg, zip_of
from tests.builders.facts import NOW, certificate, facts, signature, timestamp
from tests.builders.plans import plan, target
from tests.builders.requirements import requirement, seen
from tests.builders.signed_pe import signed_pe
from tests.builders.tree import AUDIT, code, policy_for, tree

BUILD = Signer(name="build", thumbprint=(certificate().thumbprint_sha256,))
NAMED = Signer(name="named", cn=("Contoso *",))
SIGNATURES = st.builds(
    lambda leaf, valid, algorithm, root, stamp, source, scheme: replace(
        signature(leaf, valid=valid, digest_algorithm=algorithm, root=root, stamp=stamp, source=source), scheme=scheme
    ),
    leaf=st.sampled_from(
        [certificate(), certificate("Fabrikam Test"), certificate(key_bits=1024), certificate(key_algorithm="dsa")]
    ),
    valid=st.booleans(),
    algorithm=st.sampled_from(["sha1", "sha256", None]),
    root=st.sampled_from([None, "06", "0A"]),
    stamp=st.sampled_from([None, timestamp(), timestamp(valid=False)]),
    source=st.sampled_from([SignatureSource.EMBEDDED, SignatureSource.CATALOG]),
    scheme=st.sampled_from([SignatureScheme.AUTHENTICODE, SignatureScheme.NUGET]),
)
DEMANDS: dict[str, st.SearchStrategy[Any]] = {
    "signed": st.just(True),
    "signed_by": st.sampled_from([(BUILD,), (NAMED,), (BUILD, NAMED)]),
    "schemes": st.just(frozenset({SignatureScheme.AUTHENTICODE})),
    "timestamp": st.sampled_from([Stamp(), Stamp(is_rfc3161=True), Stamp(signers=(NAMED,))]),
    "min_digest": st.just("sha256"),
    "min_key_bits": st.just(KeyBits(rsa=2048, ec=256)),
    "expiry": st.builds(Expiry, days=st.integers(0, 900), is_always=st.booleans()),
    "no_test": st.just(TestNames(patterns=("*nightly*",))),
    "all_valid": st.just(True),
    "must_be_unsigned": st.just(True),
    "listed": st.just(Listed(catalogs=frozenset({"0" * 64}))),
    "wanted": st.just((Wanted(paths=GlobSet.of(["**/a.dll"]), signers=(BUILD,)),)),
    "no_unsigned_content": st.just(True),
}  # fmt: skip
ASKED = st.fixed_dictionaries({}, optional=DEMANDS).filter(bool)


@given(signatures=st.lists(SIGNATURES, max_size=4), asked=ASKED, more=ASKED)
def test_asking_more_of_a_file_never_finds_less(signatures: list[Any], asked: dict[str, Any], more: dict[str, Any]) -> None:
    about = facts(*signatures)
    one = findings_for(requirement(**asked), seen(about), NOW)
    both = findings_for(requirement(**(more | asked)), seen(about), NOW)
    assert not one or both


OF_WHOLE = {"no_unsigned_content"}
"""Asks nothing of a file that is no container."""


@given(asked=ASKED, gap=st.sampled_from([FactName.CONTENT, FactName.SIGNATURES, FactName.DIGESTS]))
def test_what_is_not_known_meets_nothing(asked: dict[str, Any], gap: FactName) -> None:
    assume(set(asked) - OF_WHOLE)
    found = findings_for(requirement(**asked), seen(facts(gaps=[gap])), NOW)
    assert found
    assert {one.check for one in found} <= {"CSV806", "CSV414"}


@given(signatures=st.lists(SIGNATURES, max_size=3), asked=ASKED)
def test_knowing_less_never_turns_red_to_green(signatures: list[Any], asked: dict[str, Any]) -> None:
    about = facts(*signatures)
    less = replace(about, signatures=(), gaps=(Gap(what=FactName.SIGNATURES, why="not read"),))
    assert not findings_for(requirement(**asked), seen(about), NOW) or findings_for(requirement(**asked), seen(less), NOW)


SIGNER = ca.root("Contoso Root").issue("Contoso Build")
GOOD, BAD = code("good"), code("bad")
SIGNED = signed_pe(code("signed"), SIGNER)
FILES = {
    "good.dll": GOOD,
    "bad.dll": BAD,
    "signed.dll": SIGNED,
    "a.nupkg": nupkg({"lib/bad.dll": BAD, "lib/signed.dll": SIGNED}),
    "b.zip": zip_of({"good.dll": GOOD, "notes.txt": b"words"}),
    "broken.zip": zip_of({"good.dll": GOOD})[:-30],
    "notes.txt": b"words",
}
TARGETS = [
    target(policy_for(GOOD, SIGNED)),
    target(policy_for(GOOD), name="lab"),
    target(policy_for(GOOD, options=AUDIT), name="pilot"),
]
SETS = st.builds(
    lambda demands, level, paths, targets, formats: RequirementSet(
        name="more",
        demands=Demands(**demands),
        level=level,
        paths=GlobSet.of(paths),
        targets=targets,
        formats=frozenset(formats),
    ),
    demands=ASKED,
    level=st.sampled_from(list(Level)),
    paths=st.lists(st.sampled_from(["**/*.dll", "**/lib/", "*.nupkg", "nowhere/"]), max_size=2),
    targets=st.sampled_from([(), ("prod",), ("lab", "elsewhere")]),
    formats=st.sampled_from([(), ("pe",), ("nupkg", "zip")]),
)


@contextmanager
def folder(names: frozenset[str]) -> Iterator[Path]:
    with TemporaryDirectory() as made:
        yield tree(Path(made), {name: FILES[name] for name in names})


def exit_code(of: Plan) -> ExitCode:
    try:
        with run(of) as result:
            return result.summary.exit_code
    except NoArtifactsError as error:
        return error.exit_code


@settings(max_examples=60, deadline=None)
@given(
    names=st.frozensets(st.sampled_from(sorted(FILES)), min_size=1, max_size=4),
    targets=st.lists(st.sampled_from(TARGETS), max_size=2, unique_by=lambda one: one.name),
    sets=st.lists(SETS, min_size=1, max_size=2, unique_by=lambda one: one.demands),
    fail_on=st.sampled_from([None, *Level]),
)
def test_a_requirement_more_never_turns_a_red_run_green(
    names: frozenset[str], targets: list[Any], sets: list[RequirementSet], fail_on: Level | None
) -> None:
    first, *rest = [replace(one, name=f"set-{number}") for number, one in enumerate(sets)]
    with folder(names) as place:
        before = plan(place, targets=targets, requirements=tuple(rest), fail_on=fail_on, base=place)
        code = exit_code(before)
        # Where there was nothing to judge at all, a requirement may make it something.
        assume(code not in (ExitCode.OK, ExitCode.NOTHING_FOUND))
        assert exit_code(replace(before, requirements=(first, *rest))) is not ExitCode.OK
