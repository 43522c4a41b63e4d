"""`csv-gate policy convert`: a policy in its other form. The result is written whole or not at all."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from csv_gate.cli.console import Console
from csv_gate.cli.outputs import write_whole
from csv_gate.cli.parser import text
from csv_gate.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from csv_gate.model.appcontrol import AppControlPolicy, PolicyForm


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="policy XML, compiled or signed policy")
    parser.add_argument(
        "output", metavar="OUTPUT", help=".xml, .cip or .bin; in a folder, a compiled policy is named {PolicyID}.cip"
    )
    parser.add_argument("--to", choices=("xml", "binary"), help="default: what the extension of OUTPUT says")
    parser.add_argument(
        "--format-version",
        metavar="N",
        type=int,
        help="of a compiled policy; default: that of FILE, else 7 or the oldest that holds it",
    )


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.authoring.convert import converted
    from csv_gate.model.appcontrol import PolicyForm
    from csv_gate.policies import load_policy
    from csv_gate.report.escape import terminal

    output = Path(text(args, "output") or "")
    form = _form(output, text(args, "to"))
    version: int | None = args.format_version
    if version is not None and form is PolicyForm.XML:
        raise UsageError("XML has no format version", got="--format-version with XML", help="leave it out")
    policy = load_policy(Path(text(args, "file") or ""))
    target = _named(output, policy, form)
    data = converted(policy, form, format_version=version)
    write_whole(str(target), data)
    console.tell(f"{terminal(str(target))}: {len(data)} bytes")
    if policy.signature is not None:
        console.tell("the signature was left off: sign the result before it is deployed where the policy has to be signed")
    return ExitCode.OK


def _form(output: Path, asked: str | None) -> PolicyForm:
    from csv_gate.authoring.convert import form_of_suffix
    from csv_gate.model.appcontrol import PolicyForm

    form = PolicyForm(asked) if asked else form_of_suffix(output.suffix)
    if form is None:
        raise UsageError(
            "what to convert to is not said",
            got=f"the output {output}",
            expected=".xml, .cip or .bin, or --to xml or --to binary",
        )
    return form


def _named(output: Path, policy: AppControlPolicy, form: PolicyForm) -> Path:
    """The file to write; inside of a folder, under the name that Windows wants."""
    from csv_gate.model.appcontrol import PolicyForm

    if not output.is_dir():
        return output
    return output / (policy.policy_id.braced + (".xml" if form is PolicyForm.XML else ".cip"))
