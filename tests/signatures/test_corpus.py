"""Real files: what is read here must be what independent tools said of them (`signed/MANIFEST.tsv` of the optional corpus)."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from asn1crypto import cms as asn1_cms

from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.model.facts import ChainEnd, SignatureFacts, SignatureSource
from csv_gate.model.problems import ProblemCode
from csv_gate.signatures import Roots, read_catalog, read_signatures
from csv_gate.signatures.cms import FATAL
from tests.builders.raw_pe import RawPe
from tests.builders.signing import codes

CORPUS = Path(os.environ.get("CSV_GATE_CORPUS", "")) / "signed"
pytestmark = pytest.mark.skipif("CSV_GATE_CORPUS" not in os.environ, reason="CSV_GATE_CORPUS is not set")

LAYOUT = {
    "derived-tamper/peg-dwlength-huge.exe",
    "derived-tamper/peg-dwlength-zero.exe",
    "derived-tamper/peg-nrva-4.exe",
    "derived-tamper/peg-revision-1.0.exe",
    "derived-tamper/peg-type-x509.exe",
    "derived-tamper/two-entries-second-foreign.exe",
}
"""Files whose certificate table lies: the PE reader's to judge, not this room's."""
RAW_DIGEST_STAMPS = {
    "repo-pe/putty.exe",
    "repo-penet/firefox_x86.exe",
    "repo-penet/old_firefox_x86.exe",
    "repo-signify/SoftwareUpdate.exe",
}
"""Genuine time stamps over a bare digest: OpenSSL calls them failed, signify and Windows do not."""


def manifest(kind: str) -> list[dict[str, str]]:
    with (CORPUS / "MANIFEST.tsv").open(encoding="utf-8") as lines:
        return [row for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if row["format"] == kind]


def signed_pe() -> Iterator[tuple[dict[str, str], RawPe]]:
    for row in manifest("pe"):
        if row["signed"] == "yes" and row["path"] not in LAYOUT:
            yield row, RawPe((CORPUS / row["path"]).read_bytes())


def signatures(pe: RawPe) -> list[SignatureFacts]:
    return [
        facts
        for number, block in enumerate(pe.entries())
        for facts in read_signatures(
            block, pe, source=SignatureSource.EMBEDDED, place=str(number), roots=Roots.known(), limits=DEFAULT_LIMITS
        )
    ]


def listed(text: str) -> list[str]:
    return [part.strip() for part in text.replace("|", ",").split(",")]


def test_number_digest_signer_and_time_stamp_agree_with_the_tools() -> None:
    different: list[tuple[str, str, object, object]] = []
    count = 0
    for row, pe in signed_pe():
        count += 1
        found = signatures(pe)
        digests = [{True: "ok", False: "bad", None: "?"}[facts.digest_matches] for facts in found]
        stamps = ["none" if facts.timestamp is None else "ok" if facts.timestamp.valid else "failed" for facts in found]
        names = [(facts.signer.subject_cn or "") if facts.signer else "" for facts in found]
        # The manifest's writer cut common names at their first comma and doubled backslashes.
        wanted = [name.strip().rstrip("\\").replace("\\\\", "\\") for name in row["signer_cn"].split("|")]
        pairs = [
            ("count", str(len(found)), row["signature_count"]),
            ("digests", digests, listed(row["digest_valid"])),
            ("signers", [name.split(",")[0] for name in names], [name.split(",")[0] for name in wanted]),
        ]
        if row["path"] in RAW_DIGEST_STAMPS:
            pairs.append(("stamps", stamps, ["ok"] * len(found)))
            stamp = found[0].timestamp
            assert stamp is not None
            assert ProblemCode.TIMESTAMP_RAW_DIGEST in codes(stamp)
        else:
            pairs.append(("stamps", stamps, listed(row["timestamp"])))
        different += [(row["path"], what, got, want) for what, got, want in pairs if got != want]
    assert count > 150
    assert different == []


def test_a_matching_digest_means_a_valid_signature_but_for_known_defects() -> None:
    broken = {
        row["path"]: codes(facts) & FATAL
        for row, pe in signed_pe()
        for facts in signatures(pe)
        if facts.digest_matches and not facts.valid
    }
    assert broken == {
        "derived-crafted/no-certificates.exe": {ProblemCode.CMS_NO_CERTIFICATES},
        "derived-tamper/peg-flip-mid-pkcs7.exe": {ProblemCode.CMS_SIGNATURE_WRONG},
    }


def test_page_hashes_of_real_files_verify() -> None:
    found = {row["path"]: facts.page_hashes for row, pe in signed_pe() for facts in signatures(pe) if facts.page_hashes}
    assert len(found) > 5
    assert {path for path, pages in found.items() if not pages.matches} == set()


def test_microsoft_files_end_in_microsoft_roots_and_others_do_not() -> None:
    ends = {(facts.chain.end, facts.chain.well_known_root) for _, pe in signed_pe() for facts in signatures(pe) if facts.chain}
    assert {(ChainEnd.KNOWN_ROOT, number) for number in ("04", "05", "06", "07")} <= ends
    for row, pe in signed_pe():
        for facts in signatures(pe):
            if facts.valid and facts.chain is not None and facts.chain.end is ChainEnd.KNOWN_ROOT:
                assert facts.signer is not None
                assert "Microsoft" in facts.signer.issuer, row["path"]


def test_a_second_reader_finds_the_same_signer() -> None:
    for _, pe in signed_pe():
        facts = signatures(pe)
        for block in pe.entries():
            info = asn1_cms.ContentInfo.load(block)["content"]["signer_infos"]
            if len(info) == 1 and facts[0].signer is not None:
                assert facts[0].signer.serial == info[0]["sid"].chosen["serial_number"].contents.hex().lstrip("0")
            break


def test_real_catalogs_are_read() -> None:
    expected = {
        "repo-relic/hyperv.cat": (True, 22, "05"),
        "repo-signify/115fe8649854ad531fb7ecd1318fbee6b33c9cbd78f02ed582092a96d5eb5899.cat": (True, 10, "06"),
        "repo-signify/oem89.cat": (True, 1, "06"),
        "repo-signify/catfiletest.cat": (False, 1, None),
        "repo-osslsigncode/unsigned.cat": (False, 7, None),
        "derived-cat/cat-sha256-ts.cat": (True, 7, None),
        "derived-cat/cat-flip.cat": (False, 7, None),
    }
    for path, (valid, members, root) in expected.items():
        found = read_catalog((CORPUS / path).read_bytes(), path=path)
        chain = found.signature.chain
        assert (found.signature.valid, len(found.members), chain and chain.well_known_root) == (valid, members, root), path
