"""Files that a policy set cannot tell apart share a verdict, and no others do."""

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from csv_gate.engine import CompiledPolicySet, compile_policy_set, evaluate
from csv_gate.engine.appcontrol import alike
from csv_gate.engine.appcontrol.compiled import with_supplemental
from csv_gate.engine.appcontrol.evaluate import _worked_out
from csv_gate.model.appcontrol import FileRule, FileRuleKind
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Digests, FactName, Facts, Gap, PageHashFacts, SignatureFacts, SignatureSource, TimestampKind
from csv_gate.model.problems import Problem, ProblemCode
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


def judged(facts: Facts, policies: CompiledPolicySet, context: AppControlContext = CONTEXT, target: str = "t") -> Verdict:
    return evaluate(facts, policies, context, target=target)


def alone(facts: Facts, policies: CompiledPolicySet, context: AppControlContext) -> Verdict:
    return _worked_out(facts, policies, context, "t")


def signed(**changes: Any) -> Facts:
    return replace(FILE, signatures=(replace(FILE.signatures[0], **changes),))


def problem(code: ProblemCode) -> Problem:
    return Problem(code=code, detail="odd")


def resource(name: str) -> Facts:
    return replace(FILE, version=f.version(name, product_name=name))


STAMP = FILE.signatures[0].timestamp
assert STAMP is not None
LIKE = {
    "its digests": replace(FILE, digests=f.digests(authenticode_sha256=f.hex_digest("another"))),
    "its size": replace(FILE, size=FILE.size + 1),
    "its names": resource("other.dll"),
    "that it has no names": replace(FILE, version=None),
    "what lies behind the image": replace(FILE, pe=replace(FILE.pe, overlay_bytes=7)),  # type: ignore[type-var]
    "the digest that is signed": signed(signed_digest=f.hex_digest("another")),
    "its link": signed(more_info="https://example.com"),
    "the time of its signature": signed(timestamp=replace(STAMP, time=f.NOW - timedelta(days=9))),
    "the kind of its time stamp": signed(timestamp=replace(STAMP, kind=TimestampKind.PKCS9, digest_algorithm="sha1")),
}


@pytest.mark.parametrize("what", LIKE)
def test_a_verdict_does_not_depend_on(what: str) -> None:
    policies = compiled(ac.deny(hash=f.hex_digest("listed")), ac.deny("ID_DENY_N", file_name="bad.dll"))
    first = judged(FILE, policies)
    assert first.decision is Decision.ALLOWED
    assert judged(LIKE[what], policies) is first
    assert (
        judged(LIKE[what], compiled(ac.deny(hash=f.hex_digest("listed")), ac.deny("ID_DENY_N", file_name="bad.dll"))) == first
    )


UNLIKE = {
    "a digest that is listed": replace(FILE, digests=f.digests(authenticode_sha256=f.hex_digest("listed"))),
    "a name that is denied": resource("BAD.DLL"),
    "a digest that was not taken": replace(FILE, digests=replace(FILE.digests, authenticode_sha1=None)),  # type: ignore[type-var]
    "a broken signature": signed(valid=False),
    "another signer": signed(signer=f.certificate("Stranger")),
    "another chain": signed(chain=f.chain(f.certificate("Stranger", issuer_cn="Strange CA"))),
    "a time stamp by another authority": signed(timestamp=replace(STAMP, chain=f.chain())),
    "another kind of signature": signed(source=SignatureSource.APPENDED),
    "no signature": f.facts(taken=FILE.digests),
    "a second signature": replace(FILE, signatures=FILE.signatures * 2),
    "a signature by a catalog": signed(source=SignatureSource.CATALOG, place="a.cat"),
    "a signature elsewhere": signed(place="1"),
    "a weak digest": signed(digest_algorithm="sha1"),
    "a broken time stamp": signed(timestamp=replace(STAMP, valid=False)),
    "no time stamp": signed(timestamp=None),
    "page hashes": signed(page_hashes=PageHashFacts(algorithm="sha256", matches=True)),
    "a driver's header": replace(FILE, pe=f.pe(is_driver=True)),
    "another format": replace(FILE, format="powershell", pe=None),
    "a gap": replace(FILE, gaps=(Gap(what=FactName.VERSION, why="cut"),)),
    "a problem": replace(FILE, problems=(problem(ProblemCode.PE_NOT_AUTHENTICODE_LAYOUT),)),
    "a problem of the signature": signed(problems=(problem(ProblemCode.NESTED_TOO_MANY),)),
}


@pytest.mark.parametrize("what", UNLIKE)
def test_a_file_is_judged_for_itself_that_has(what: str) -> None:
    def rules() -> CompiledPolicySet:
        return compiled(ac.deny(hash=f.hex_digest("listed")), ac.deny("ID_DENY_N", file_name="bad.dll"))

    policies = rules()
    first = judged(FILE, policies)
    assert judged(FILE, policies) is first
    verdict = judged(UNLIKE[what], policies)
    assert verdict is not first
    assert verdict == judged(UNLIKE[what], rules())


def test_another_context_and_another_target_get_their_own_verdicts() -> None:
    policies = compiled()
    first = judged(FILE, policies)
    assert judged(FILE, policies, target="u").target == "u"
    assert judged(FILE, policies, replace(CONTEXT, test_signing=True)) is not first
    revoked = replace(CONTEXT, revoked_sha256=frozenset([FILE.signatures[0].signer.thumbprint_sha256]))  # type: ignore[union-attr]
    assert judged(FILE, policies, revoked).decision is not Decision.ALLOWED


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
    assert judged(FILE, policies) is not judged(FILE, policies)


def test_what_is_denied_is_told_of_each_file() -> None:
    policies = compiled(publisher="Somebody Else")
    assert judged(FILE, policies).decision is Decision.DENIED
    assert judged(FILE, policies) is not judged(FILE, policies)


def test_a_set_with_one_more_policy_begins_anew() -> None:
    policies = compiled()
    first = judged(FILE, policies)
    more = with_supplemental(policies, ac.supplemental(ac.allow("ID_ALLOW_F", hash=f.hex_digest("one"))))
    assert judged(FILE, more) is not first
    assert policies.alike is not more.alike


def test_the_table_is_bounded_and_holds_what_its_keys_name_by_identity() -> None:
    policies = compiled()
    contexts = [replace(CONTEXT) for _ in range(alike.MOST + 1)]
    verdicts = [judged(FILE, policies, context) for context in contexts]
    assert len(policies.alike._kept) == 1
    assert judged(FILE, policies, contexts[-1]) is verdicts[-1]
    assert judged(FILE, policies, contexts[0]) is not verdicts[0]


def test_every_fact_of_a_signature_is_told_apart_or_known_to_be_read_by_no_rule() -> None:
    """A field that is new must be put into the key, or here."""
    unread = {"signed_digest", "more_info"}
    refused = {"problems", "page_hashes", "key"}
    by_identity = {"signer", "chain", "timestamp"}
    told = {
        "source",
        "scheme",
        "place",
        "digest_algorithm",
        "digest_matches",
        "valid",
        "program_name",
        "catalog_sha256",
        "role",
    }
    assert {one.name for one in fields(SignatureFacts)} == unread | refused | by_identity | told


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


def variants(generator: Generator, one: Facts) -> list[Facts]:
    """Files with the same signers' objects, and other digests, names, versions and times."""
    found = [one]
    for number in range(6):
        other = generator.facts()
        changed = replace(
            one,
            size=number,
            digests=generator.random.choice(
                (one.digests, other.digests, f.digests(authenticode_sha256=f.hex_digest(str(number))))
            ),
            version=generator.random.choice((one.version, other.version, UNNAMED, None)),
            pe=generator.random.choice((*[one.pe] * 4, other.pe)),
            signatures=tuple(
                replace(
                    signature,
                    signed_digest=f.hex_digest(f"signed {number}"),
                    more_info=str(number),
                    program_name=generator.random.choice((*[signature.program_name] * 4, "Contoso Ltd")),
                    timestamp=None
                    if signature.timestamp is None
                    else replace(signature.timestamp, time=f.NOW - timedelta(days=number * 400), digest_algorithm="sha1"),
                )
                for signature in one.signatures
            ),
        )
        found.append(changed)
    return found


def test_whatever_the_policies_a_file_gets_the_verdict_that_it_gets_alone() -> None:
    generator = _Found(20261124)
    shared = 0
    for number in range(SETS):
        _, policies, context = generator.case()
        together = compile_policy_set(policies)
        judged(FILE, together, context)
        if together.alike._asked is None:
            continue
        some = [replace(generator.facts(), digests=unlisted(0), version=UNNAMED) for _ in range(24)]
        allowed = [one for one in some if alone(one, together, context).decision is Decision.ALLOWED]
        files = [file for one in (*allowed[:3], some[0]) for file in variants(generator, one)]
        generator.random.shuffle(files)
        verdicts = [judged(file, together, context) for file in files]
        shared += len(verdicts) - len({id(verdict) for verdict in verdicts})
        assert verdicts == [alone(file, together, context) for file in files], f"set {number}"
    assert shared > SETS // 10


@pytest.mark.parametrize("copied", [lambda policies: pickle.loads(pickle.dumps(policies)), copy.deepcopy, copy.copy])
def test_a_copy_of_a_set_has_none_of_its_verdicts(copied: Callable[[CompiledPolicySet], CompiledPolicySet]) -> None:
    """Identities, of which keys are made, mean other objects there."""
    policies = compiled()
    first = judged(FILE, policies)
    again = copied(policies)
    assert not again.alike._kept or again.alike is policies.alike
    assert judged(FILE, again) == first
