"""`csv-gate policy hash`: digests of policy files, of the policy inside a signature, and whose signature it is."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from csv_gate.cli.console import Console
from csv_gate.cli.parser import texts
from csv_gate.errors import ExitCode, Place, PolicyError
from csv_gate.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from csv_gate.authoring.convert import PolicyDigests


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="policy XML, compiled or signed policy")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each file")


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.authoring.convert import policy_digests
    from csv_gate.report.escape import json_line

    found = [policy_digests(_read(path), path=path) for path in texts(args, "files")]
    for one in found:
        console.out.write(json_line(_json(one)) + "\n" if args.json else _text(one))
    return ExitCode.OK


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(DEFAULT_LIMITS.max_policy_bytes + 1)
    except OSError as error:
        raise PolicyError(
            "the policy file can't be read",
            place=Place(path=path),
            got=error.strerror or type(error).__name__,
            expected="a readable file",
        ) from error


def _text(found: PolicyDigests) -> str:
    from csv_gate.report.escape import terminal

    lines = [f"{found.sha256}  {terminal(found.path)}"]
    signature = found.signature
    if signature is not None:
        state = "valid" if signature.valid else "NOT VALID"
        lines.append(f"{found.content_sha256}  the policy inside the signature")
        lines.append(
            f"  signed by {terminal(signature.subject or 'an unknown signer')} ({signature.thumbprint_sha1 or '?'}): {state}"
        )
        lines += [f"  {terminal(problem)}" for problem in signature.problems]
    return "\n".join(lines) + "\n"


def _json(found: PolicyDigests) -> dict[str, object]:
    signature = found.signature
    return {
        "path": found.path,
        "sha256": found.sha256,
        "content_sha256": found.content_sha256,
        "signature": None
        if signature is None
        else {
            "valid": signature.valid,
            "subject": signature.subject,
            "thumbprint_sha1": signature.thumbprint_sha1,
            "problems": list(signature.problems),
        },
    }
