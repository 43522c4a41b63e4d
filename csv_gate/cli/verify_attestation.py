"""`csv-gate verify-attestation`: what a deployer asks before files go to a target."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from csv_gate.cli.console import Console
from csv_gate.cli.parser import text, texts
from csv_gate.errors import ExitCode, Place, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("envelope", metavar="ENVELOPE", help="written by `csv-gate attest`")
    add("-k", "--key", metavar="FILE", action="append", required=True, help="public key that is trusted, PEM; repeatable")
    add("-t", "--target", metavar="NAME", help="the target that the files go to")
    add("--policy-sha256", metavar="HEX", action="append", help="SHA-256 of a policy file of the target; give all of its set")
    add("--artifact", metavar="FILE", action="append", help="a file that must be attested; repeatable")
    add("--verifier-id", metavar="URI", help="who must have said it; default: urn:csv-gate:verifier")


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.attesting import NOT_CHECKED, Demand, verify
    from csv_gate.attesting.dsse import MAX_FILE_BYTES, read_envelopes
    from csv_gate.attesting.keys import verifying_key
    from csv_gate.attesting.statement import VERIFIER
    from csv_gate.report.escape import terminal

    policies, artifacts = texts(args, "policy_sha256"), texts(args, "artifact")
    demand = Demand(
        keys=tuple(verifying_key(Path(path)) for path in texts(args, "key")),
        verifier=text(args, "verifier_id") or VERIFIER,
        target=text(args, "target"),
        policies=frozenset(map(_digest, policies)) if policies else None,
        artifacts={path: _sha256_of(path) for path in artifacts} if artifacts else None,
    )
    path = str(args.envelope)
    found, faults = verify(read_envelopes(_start_of(path, MAX_FILE_BYTES + 1), path=path), demand)
    for fault in faults:
        console.out.write(f"refused: {terminal(fault.why, 2_000)}\n")
    if faults:
        return ExitCode.FINDINGS
    for one in found:
        told = f"{len(one.digests)} digests allowed on {terminal(one.target)} by {len(one.policies)} policies, key {one.key_id[:16]}"
        console.out.write(f"verified: {told}\n")
    asked = [("which policies", policies), ("any file", artifacts)]
    missing = [f"{what}: not asked" for what, given in asked if not given]
    for line in (*missing, *NOT_CHECKED):
        console.out.write(f"not checked: {line}\n")
    return ExitCode.OK


def _digest(written: str) -> str:
    digest = written.lower()
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise UsageError("this is no SHA-256", got=written, expected="64 hex digits")
    return digest


def _sha256_of(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error, "a file") from error


def _start_of(path: str, size: int) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise _unreadable(path, error, "a file written by `csv-gate attest`") from error


def _unreadable(path: str, error: OSError, expected: str) -> UsageError:
    return UsageError(
        "the file cannot be read", place=Place(path=path), got=error.strerror or type(error).__name__, expected=expected
    )
