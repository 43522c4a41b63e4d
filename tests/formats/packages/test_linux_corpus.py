"""RPM and Debian packages and OpenPGP signatures of the corpus: as independent tools said, or as is argued here.

`CSV_GATE_CORPUS` names the folder; without it these tests are skipped.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.model.facts import Facts, SignatureFacts, SignatureScheme, SignatureSource
from csv_gate.model.problems import ProblemCode
from csv_gate.signatures.openpgp import KeyRing, is_clear_signed, read_clear_signed, read_openpgp_signatures

ROOT = Path(os.environ.get("CSV_GATE_CORPUS", "")) / "signed"
pytestmark = pytest.mark.skipif("CSV_GATE_CORPUS" not in os.environ, reason="CSV_GATE_CORPUS names no corpus")
KEY_FILES = ("derived-pgp/test-pubkeys.asc", "repo-relic/rocky9.pgp", "repo-relic/ubuntu2012.pgp")

UNKNOWN = frozenset({ProblemCode.OPENPGP_KEY_UNKNOWN})
PACKAGES: Mapping[str, tuple[tuple[bool, ...], frozenset[ProblemCode], str]] = {
    "derived-rpm/simple-payload-flip.rpm": (
        (False, False),
        frozenset({ProblemCode.RPM_PAYLOAD_UNBOUND, ProblemCode.DIGEST_MISMATCH}),
        "rpmkeys calls the header's signature OK and the other BAD; nothing but that other binds the payload",
    ),
    "derived-rpm/simple-signed-rsa.rpm": ((True, True), frozenset(), "rpmkeys agrees"),
    "derived-rpm/test-signed-rsa.rpm": ((True,), frozenset(), "rpmkeys agrees"),
    "repo-relic/rocky-basesystem-11-13.el9.noarch.rpm": ((True,), frozenset(), "rpmkeys agrees"),
    "repo-arcade/SignedRpm.rpm": ((False, False), UNKNOWN, "rpmkeys says NOKEY"),
    "repo-arcade/IncorrectlySignedRpm.rpm": ((False, False), UNKNOWN, "rpmkeys says NOKEY"),
    "derived-deb/test-signed-origin.deb": (
        (False,),
        frozenset({ProblemCode.WEAK_DIGEST}),
        "gpg 2.2 takes it; the signature is by SHA-1",
    ),
    "derived-deb/test-data-flip.deb": (
        (False,),
        frozenset({ProblemCode.WEAK_DIGEST, ProblemCode.DIGEST_MISMATCH}),
        "gpg agrees that it is bad; by SHA-1 too",
    ),
    "repo-arcade/SignedDeb.deb": ((False,), UNKNOWN, "its key is not in the corpus"),
}
"""Path -> whether each signature is valid, what is wrong with them, and what the other tool said. Packages not here are unsigned."""
LOOSE: Mapping[str, tuple[str | None, bool, str]] = {
    "derived-pgp/artifact.bin.ed.asc": ("derived-pgp/artifact.bin", True, "gpg agrees"),
    "derived-pgp/artifact.bin.ed.sig": ("derived-pgp/artifact.bin", True, "gpg agrees"),
    "derived-pgp/artifact.bin.rsa.asc": ("derived-pgp/artifact.bin", True, "gpg agrees"),
    "derived-pgp/artifact.bin.rsa.sig": ("derived-pgp/artifact.bin", True, "gpg agrees"),
    "derived-pgp/artifact.bin.rsa-sha1.asc": ("derived-pgp/artifact.bin", False, "gpg 2.2 takes it; SHA-1 does not count here"),
    "derived-pgp/clearsigned.txt.asc": (None, True, "gpg agrees"),
    "repo-relic/InRelease": (None, True, "gpg agrees"),
}
"""Path -> the file that it is over, whether it is valid, and what gpg said."""


@cache
def keys() -> KeyRing:
    return KeyRing.read(*((ROOT / path).read_bytes() for path in KEY_FILES))


def _rows(*formats: str) -> list[Mapping[str, str]]:
    if not (ROOT / "MANIFEST.tsv").is_file():
        return []
    with (ROOT / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row for row in rows if row["format"] in formats]


def _facts(path: str) -> Facts:
    given = tuple((ROOT / key).read_bytes() for key in KEY_FILES)
    return extract((ROOT / path).read_bytes(), ExtractionSettings(openpgp_keys=given), name=path)


@pytest.mark.parametrize("row", _rows("rpm", "deb"), ids=lambda row: row["path"])
def test_packages_are_as_the_manifest_says_or_as_is_argued(row: Mapping[str, str]) -> None:
    facts = _facts(row["path"])
    valid, problems, _ = PACKAGES.get(row["path"], ((), frozenset(), ""))
    assert (row["signed"] == "yes") is bool(valid)
    assert tuple(one.valid for one in facts.signatures) == valid
    assert {problem.code for one in facts.signatures for problem in one.problems} == problems
    assert not facts.gaps
    assert facts.package is not None
    assert facts.package.name
    assert facts.package.version
    if row["format"] == "rpm":
        assert facts.package.digests_match is ("flip" not in row["path"])


@pytest.mark.parametrize("path", LOOSE)
def test_loose_signatures_are_as_gpg_said_or_as_is_argued(path: str) -> None:
    over, valid, _ = LOOSE[path]
    assert _loose(path, over).valid is valid
    if over is not None:
        assert not _loose(path, "derived-pgp/artifact-tampered.bin").valid


def _loose(path: str, over: str | None) -> SignatureFacts:
    octets = (ROOT / path).read_bytes()
    if over is None:
        assert is_clear_signed(octets)
        _, (facts,) = read_clear_signed(
            octets,
            keys=keys(),
            scheme=SignatureScheme.OPENPGP,
            source=SignatureSource.EMBEDDED,
            place="0",
            role=None,
            limits=DEFAULT_LIMITS,
        )
        return facts
    content = (ROOT / over).read_bytes()
    (facts,) = read_openpgp_signatures(
        octets,
        lambda sink: sink.update(content),
        keys=keys(),
        scheme=SignatureScheme.OPENPGP,
        source=SignatureSource.DETACHED,
        place="0",
        role=None,
        limits=DEFAULT_LIMITS,
    )
    return facts


def test_every_key_file_of_the_corpus_is_read() -> None:
    for row in _rows("openpgp"):
        if row["path"].endswith(".pgp") or "pubkey" in row["path"]:
            assert KeyRing.read((ROOT / row["path"]).read_bytes()).sha256s == (row["sha256"],)
