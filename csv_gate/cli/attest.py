"""`csv-gate attest`: sign what a saved result says, for those who deploy."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TextIO

from csv_gate.cli.console import Console
from csv_gate.cli.outputs import Output, check_writable, write_files
from csv_gate.cli.parser import text, texts
from csv_gate.errors import ExitCode, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("result", metavar="RESULT.json", help="written by `check -o json=FILE` in the same job: what it says is signed")
    add(
        "-k",
        "--key",
        metavar="FILE|URI",
        required=True,
        help="private key, PEM (Ed25519, P-256), or hsm:…, awskms:… (extra: signers)",
    )
    add("--public-key", metavar="FILE", help="the public key of a --key that is a URI")
    add("-o", "--output", metavar="FILE", default="-", help="the signed statements, one line for each target; default: stdout")
    add("-t", "--target", metavar="NAME", action="append", help="only for this target; default: each that allows something")
    add("--predicate", choices=("svr", "vsa"), default="svr", help="in-toto SVR v0.2 (default) or SLSA VSA v1")
    add("--resource-uri", metavar="URI", help="what the artifacts belong to, such as a package URL; needed for vsa")
    add("--verifier-id", metavar="URI", help="who says it; default: urn:csv-gate:verifier")


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.attesting import claims, statement
    from csv_gate.attesting.dsse import PAYLOAD_TYPE, Envelope, pae, write_envelope
    from csv_gate.attesting.keys import signing_key
    from csv_gate.attesting.statement import VERIFIER
    from csv_gate.cli.report import read_saved
    from csv_gate.model.result_read import read_result
    from csv_gate.report.escape import terminal

    resource = text(args, "resource_uri")
    if args.predicate == "vsa" and not resource:
        raise UsageError("a VSA names the resource that it is about", expected="--resource-uri URI")
    output = Output(format="attestation", path=str(args.output))
    check_writable((output,))
    path = str(args.result)
    every = claims(read_result(read_saved(path), path="stdin" if path == "-" else path))
    chosen = [claim for claim in every if not args.target or claim.target.name in texts(args, "target")]
    for name in texts(args, "target"):
        if name not in {claim.target.name for claim in every}:
            known = ", ".join(claim.target.name for claim in every)
            raise UsageError("the result has no such target", got=name, expected=known)
    public = text(args, "public_key")
    key = signing_key(str(args.key), public=None if public is None else Path(public), environment=console.environment)
    lines = []
    for claim in chosen:
        if claim.subjects:
            payload = statement(claim, args.predicate, verifier=text(args, "verifier_id") or VERIFIER, resource=resource)
            signature = key.sign(pae(PAYLOAD_TYPE, payload))
            envelope = Envelope(payload_type=PAYLOAD_TYPE, payload=payload, signatures=(signature,))
            if not key.public.verifies(signature.value, envelope.signed):
                raise UsageError(
                    "the signature does not verify", got=f"--key {args.key}", expected="the key that --public-key belongs to"
                )
            lines.append(write_envelope(envelope))
        count = len(claim.subjects)
        told = f"{count} artifact{'s' * (count != 1)} attested for {terminal(claim.target.name)}"
        console.tell(told + (f", {claim.left} left out: not allowed, or in doubt" if claim.left else ""))
    if lines:
        _write("\n".join(lines) + "\n", output, console)
    complete = bool(lines) and all(claim.subjects and not claim.left for claim in chosen)
    return ExitCode.OK if complete else ExitCode.FINDINGS


def _write(content: str, output: Output, console: Console) -> None:
    if output.is_stdout:
        console.out.write(content)
        return

    def render(format: str, stream: TextIO) -> None:
        del format
        stream.write(content)

    write_files((output,), render)
