"""Hostile JARs, extensions, applications and Silverlight packages: reading them raises nothing but `ArtifactError`, soon, and never makes
of a changed file one that is signed.

`CSV_GATE_MUTATIONS=20000` runs more of them, for each kind.
"""

from __future__ import annotations

import os
import random

import pytest

from csv_gate.errors import ArtifactError
from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model.result_json import dump, facts_json
from tests.builders import apk as apks
from tests.builders import jar as jars
from tests.builders import vsix as extensions
from tests.builders.containers import ZipEntry, raw_zip
from tests.builders.signing import publisher
from tests.builders.steps import soon
from tests.builders.xap import xap

ROUNDS = int(os.environ.get("CSV_GATE_MUTATIONS", "1000"))
SMALL = {"AndroidManifest.xml": b"\3\0\x08\0", "classes.dex": b"dex\n" * 50}
MEMBERS = {
    "jar": jars.members(publisher()),
    "vsix": extensions.members(publisher()),
    "apk": jars.members(publisher(), SMALL, extra=(("X-Android-APK-Signed", "2"),)),
    "xap": {},
}


def _mutate(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(max(len(changed), 1))
        match chance.randrange(5):
            case 0 | 1:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 2:
                del changed[at : at + chance.randrange(64)]
            case 3:
                start = chance.randrange(max(len(changed), 1))
                changed[at:at] = changed[start : start + chance.randrange(1, 400)]
            case _:
                changed[at : at + 4] = chance.choice((0, 1, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x80)).to_bytes(4, "little")
    return bytes(changed)


def _mutated(kind: str, chance: random.Random) -> bytes:
    """A member is changed and the archive made anew, so that the change gets past size and CRC; or the archive itself is changed."""
    if kind == "xap":
        return _mutate(XAP, chance)
    members = dict(MEMBERS[kind])
    as_whole = chance.randrange(3) == 0
    if not as_whole:
        name = chance.choice(sorted(members))
        members[name] = _mutate(members[name], chance)
    if kind == "apk":
        data = apks.apk(publisher(), members, schemes=("v2", "v3")) if chance.randrange(8) == 0 else APK
        return _mutate(data, chance)
    data = raw_zip(*(ZipEntry(name=name, data=data, method=0) for name, data in members.items()))
    return _mutate(data, chance) if as_whole else data


APK = apks.apk(publisher(), MEMBERS["apk"], schemes=("v2", "v3"), says_v3=True)
XAP = xap()


@pytest.mark.parametrize("kind", MEMBERS)
def test_nothing_but_our_own_errors_comes_of_damaged_packages(kind: str) -> None:
    chance = random.Random(f"{kind} 11")
    settings = ExtractionSettings()
    for number in range(ROUNDS):
        data = _mutated(kind, chance)
        try:
            with soon(f"{kind}, round {number}"):
                facts = extract(data, settings, name=f"a.{kind}")
        except ArtifactError:
            continue
        except Exception as error:
            error.add_note(f"{kind}, round {number}")
            raise
        dump(facts_json(facts))


PAYLOAD = {"jar": sorted(jars.FILES), "vsix": sorted(extensions.FILES)}


@pytest.mark.parametrize("kind", PAYLOAD)
def test_no_changed_member_is_covered_by_a_valid_signature(kind: str) -> None:
    chance = random.Random(f"{kind} 12")
    for _ in range(min(ROUNDS, 500)):
        members = dict(MEMBERS[kind])
        name = chance.choice(PAYLOAD[kind])
        members[name] = _mutate(members[name], chance)
        facts = extract(raw_zip(*(ZipEntry(name=one, data=data) for one, data in members.items())), ExtractionSettings())
        changed = members[name] != MEMBERS[kind][name]
        assert [one.valid for one in facts.signatures] == [not changed]
