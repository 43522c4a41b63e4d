"""A verdict that a policy set gives for one file holds for all that it cannot tell apart from it, and for no others."""

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest

from csv_gate.engine import CompiledPolicySet, compile_policy_set, evaluate
from csv_gate.engine.appcontrol import alike
from csv_gate.engine.appcontrol.compiled import with_supplemental
from csv_gate.model.appcontrol import FileRule, FileRuleKind
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Digests, FactName, Facts, Gap, PageHashFacts, VersionFacts
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.model.split_facts import split
from csv_gate.model.verdict import Decision, Verdict
from csv_gate.records import fields, replace
from tests.builders import appcontrol as ac
from tests.builders import facts as f
from tests.engine.generated import Generator

SETS = int(os.environ.get("CSV_GATE_ENGINE_CASES", "600"))
CONTEXT = AppControlContext(evaluated_at=f.NOW)
FILE = f.facts(f.signature(stamp=f.timestamp(f.NOW, root="06")), taken=f.digests(authenticode_sha256=f.hex_digest("one")))


@pytest.fixture(autouse=True)
def _from_the_first_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alike, "FEW", 1)


def compiled(*rules: FileRule, publisher: str = "Contoso Ltd", after: datetime | None = None) -> CompiledPolicySet:
    known = ac.signer(tbs=f.tbs("Contoso CA", "Contoso Root"), publisher=publisher, after=after)
    return compile_policy_set(ac.policy_set(ac.policy(*rules, signers=[known])))


def with_denials() -> CompiledPolicySet:
    return compiled(ac.deny(hash=f.hex_digest("listed")), ac.deny("ID_DENY_N", file_name="bad.dll"))


def judged(facts: Facts, policies: CompiledPolicySet, context: AppControlContext = CONTEXT) -> Verdict:
    return evaluate(facts, policies, context, target="t")


def is_shared(facts: Facts, policies: CompiledPolicySet) -> bool:
    return policies.alike.is_shared(judged(facts, policies), split(facts))


def lists_none_of(facts: Facts, policies: CompiledPolicySet) -> bool:
    return policies.alike.lists_none_of(split(facts))


def signed(**changes: Any) -> Facts:
    return replace(FILE, signatures=(replace(FILE.signatures[0], **changes),))


def problem(code: ProblemCode) -> Problem:
    return Problem(code=code, detail="odd")


def resource(name: str) -> Facts:
    return replace(FILE, version=f.version(name, product_name=name))


STAMP = FILE.signatures[0].timestamp
assert STAMP is not None
LIKE = {
    "its digests": replace(FILE, digests=f.digests(sha256=f.hex_digest("x"), authenticode_sha256=f.hex_digest("another"))),
    "its size": replace(FILE, size=FILE.size + 1),
    "its names": resource("other.dll"),
    "its version": replace(FILE, version=f.version(file_version=(1, 0, 0, 0))),
    "the digest that is signed": signed(signed_digest=f.hex_digest("another")),
    "the time of its signature": signed(timestamp=replace(STAMP, time=f.NOW - timedelta(days=9))),
}


@pytest.mark.parametrize("what", LIKE)
def test_a_verdict_does_not_depend_on(what: str) -> None:
    policies = with_denials()
    assert is_shared(FILE, policies)
    assert split(LIKE[what]).shape == split(FILE).shape
    assert lists_none_of(LIKE[what], policies)
    assert judged(LIKE[what], policies) == judged(FILE, policies)


LISTED = {
    "a digest that is listed": replace(FILE, digests=f.digests(authenticode_sha256=f.hex_digest("listed"))),
    "a flat digest that is listed": replace(FILE, digests=f.digests(sha256=f.hex_digest("listed"))),
    "a name that is denied": resource("BAD.DLL"),
}


@pytest.mark.parametrize("what", LISTED)
def test_a_file_is_judged_for_itself_that_has(what: str) -> None:
    policies = with_denials()
    assert not lists_none_of(LISTED[what], policies)
    assert not is_shared(LISTED[what], policies)


UNLIKE = {
    "page hashes": signed(page_hashes=PageHashFacts(algorithm="sha256", matches=True)),
    "another format": replace(FILE, format="powershell", pe=None),
    "a gap": replace(FILE, gaps=(Gap(what=FactName.VERSION, why="cut"),)),
    "a problem": replace(FILE, problems=(problem(ProblemCode.PE_OVERLAY),)),
    "a problem of the signature": signed(problems=(problem(ProblemCode.NESTED_TOO_MANY),)),
    "a problem of the time stamp": signed(timestamp=replace(STAMP, problems=(problem(ProblemCode.NESTED_TOO_MANY),))),
}


@pytest.mark.parametrize("what", UNLIKE)
def test_nothing_is_said_of_others_by_a_file_with(what: str) -> None:
    policies = with_denials()
    allowed = judged(FILE, policies)
    assert not policies.alike.is_shared(allowed, split(UNLIKE[what]))


@pytest.mark.parametrize(
    "policies",
    [
        compiled(ac.deny(file_name="*", maximum=(1, 0, 0, 0))),
        compiled(after=f.NOW - timedelta(days=1)),
        compiled(ac.allow(path="C:\\x\\*")),
    ],
    ids=["a version", "the time of signing", "a path"],
)
def test_nothing_is_alike_where_a_rule_asks_for(policies: CompiledPolicySet) -> None:
    assert judged(FILE, policies).decision is Decision.ALLOWED
    assert not lists_none_of(FILE, policies)
    assert not is_shared(FILE, policies)


def test_what_is_denied_is_told_of_each_file() -> None:
    policies = compiled(publisher="Somebody Else")
    assert judged(FILE, policies).decision is Decision.DENIED
    assert not is_shared(FILE, policies)


def test_the_first_files_are_judged_for_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alike, "FEW", 3)
    policies = compiled()
    assert [lists_none_of(FILE, policies) for _ in range(4)] == [False, False, True, True]


def test_a_set_with_one_more_policy_asks_for_more() -> None:
    policies = compiled()
    assert lists_none_of(FILE, policies)
    more = with_supplemental(policies, ac.supplemental(ac.allow("ID_ALLOW_F", hash=f.hex_digest("one"))))
    assert not lists_none_of(FILE, more)
    assert lists_none_of(FILE, policies)


@pytest.mark.parametrize("copied", [lambda policies: pickle.loads(pickle.dumps(policies)), copy.deepcopy, copy.copy])
def test_a_copy_of_a_set_tells_the_same_files_apart(copied: Callable[[CompiledPolicySet], CompiledPolicySet]) -> None:
    again = copied(with_denials())
    assert is_shared(FILE, again)
    assert not any(lists_none_of(one, again) for one in LISTED.values())


class _Found(Generator):
    """Its rules are found by digest or name: only under such is anything alike."""

    def rule(self, kind: FileRuleKind, id: str) -> FileRule:
        while True:
            made = super().rule(kind, id)
            names = (made.file_name, made.internal_name, made.file_description, made.product_name)
            if made.hash is not None or any(name not in (None, "", "*") for name in names):
                return made


def unlisted(number: int) -> Digests:
    sha256, sha1 = f.hex_digest(str(number)), f.hex_digest(str(number), "sha1")
    return Digests(
        sha256=sha256, authenticode_sha1=sha1, authenticode_sha256=sha256, page_sha1=sha1[::-1], page_sha256=sha256[::-1]
    )


UNNAMED = f.version("unnamed.dll", internal_name="unnamed", file_description="", product_name="Unnamed")


UNKNOWN = f.facts(taken=unlisted(0), resource=UNNAMED)
"""A file that no rule lists."""


def of_its_shape(generator: Generator, one: Facts) -> list[Facts]:
    """Files that differ from one in nothing but own values."""
    assert one.digests
    found = [one]
    for number in range(6):
        other = generator.facts()
        taken = generator.random.choice((one.digests, other.digests or one.digests, unlisted(number)))
        version = generator.random.choice((one.version, other.version or UNNAMED, UNNAMED))
        found.append(
            replace(
                one,
                size=number,
                digests=_where_there(one.digests, taken, unlisted(number)),
                version=None if one.version is None else _where_there(one.version, version or UNNAMED, UNNAMED),
                signatures=tuple(
                    replace(
                        signature,
                        signed_digest=None if signature.signed_digest is None else f.hex_digest(f"signed {number}"),
                        timestamp=None
                        if signature.timestamp is None
                        else replace(
                            signature.timestamp,
                            time=None if signature.timestamp.time is None else f.NOW - timedelta(days=number * 400),
                        ),
                    )
                    for signature in one.signatures
                ),
            )
        )
    assert all(split(file).shape == split(one).shape for file in found)
    return found


T = TypeVar("T", Digests, VersionFacts)


def _where_there(one: T, *others: T) -> T:
    """The first value that there is among others, for each that there is in one."""
    return replace(
        one,
        **{
            field.name: next(value for other in (*others, one) if (value := getattr(other, field.name)) is not None)
            for field in fields(one)
            if getattr(one, field.name) is not None
        },
    )


def test_whatever_the_policies_a_shared_verdict_is_the_one_that_each_file_gets_alone() -> None:
    generator = _Found(20261124)
    shared = 0
    for number in range(SETS):
        _, policies, context = generator.case()
        together = compile_policy_set(policies)
        if not lists_none_of(UNKNOWN, together):
            continue
        some = [generator.facts() for _ in range(24)]
        some += [replace(one, digests=unlisted(0), version=UNNAMED) for one in some]
        allowed = [one for one in some if one.digests and judged(one, together, context).decision is Decision.ALLOWED]
        for one in allowed[:3] + allowed[-3:]:
            verdict = judged(one, together, context)
            if not together.alike.is_shared(verdict, split(one)):
                continue
            files = [file for file in of_its_shape(generator, one) if lists_none_of(file, together)]
            assert [judged(file, together, context) for file in files] == [verdict] * len(files), f"set {number}"
            shared += len(files) - 1
    assert shared > SETS // 10
