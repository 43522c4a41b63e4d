"""`csv-gate suggest`: the rules that would let blocked files run, as a supplemental policy. What New-CIPolicy does, on any machine."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, TextIO

from csv_gate.cli.console import Console
from csv_gate.cli.options import add_config_options, add_target_options
from csv_gate.cli.parser import text, texts
from csv_gate.errors import ExitCode, UsageError
from csv_gate.model.guid import Guid
from csv_gate.records import replace

if TYPE_CHECKING:
    from csv_gate.suggesting import Level, Suggestion

LEVELS = (
    "Hash",
    "FileName",
    "FilePath",
    "SignedVersion",
    "Publisher",
    "FilePublisher",
    "LeafCertificate",
    "PcaCertificate",
    "WHQL",
    "WHQLPublisher",
    "WHQLFilePublisher",
)
"""The values of `csv_gate.suggesting.Level`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", metavar="PATH", nargs="*", help="files and folders; default: `inputs:` of the configuration")
    group = parser.add_argument_group("what is suggested")
    group.add_argument("--level", metavar="LEVEL", default="FilePublisher", help=f"{', '.join(LEVELS)}; default: FilePublisher")
    group.add_argument(
        "--fallback",
        metavar="LEVEL",
        nargs="+",
        action="extend",
        help="levels to try in turn where the first gives no rule that counts; default: Hash",
    )
    group.add_argument("--base", metavar="POLICYID", help="the base policy to extend, where the target has several")
    group.add_argument("--name", metavar="NAME", help="name of the policy; default: of its base")
    group.add_argument("-o", "--output", metavar="FILE", help="where the policy goes; default: stdout")
    add_target_options(parser)
    add_config_options(parser)


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.cli.outputs import STDOUT, Output, check_writable, write_files
    from csv_gate.cli.selection import select
    from csv_gate.gate.candidates import candidates
    from csv_gate.suggesting import Candidate, Wish, suggest

    wish = Wish(
        level=_level(str(args.level)),
        fallbacks=tuple(_level(one) for one in texts(args, "fallback") or ("Hash",)),
        base_id=_policy_id(text(args, "base")),
        name=text(args, "name"),
    )
    output = Output(format="xml", path=text(args, "output") or STDOUT)
    outputs = (output,)
    check_writable(outputs)
    selection = select(args, console, texts(args, "paths"))
    targets = [target for target in selection.plan.targets if target.version_of is None]
    if len(targets) > 1:
        names = ", ".join(target.name for target in targets)
        raise UsageError("a policy is suggested for one target", got=names, expected="one --target, or --policy")
    (target,) = targets
    found = [
        Candidate(path=artifact.path, facts=artifact.facts, context=context)
        for artifact, context in candidates(replace(selection.plan, takes_all_digests=True), target)
    ]
    suggestion = suggest(target.policies, found, wish)
    if suggestion.policy is not None:
        xml = suggestion.xml.decode("utf-8")

        def render(format: str, stream: TextIO) -> None:
            del format
            stream.write(xml)

        if output.is_stdout:
            console.out.write(xml)
        write_files(outputs, render)
    _tell(suggestion, console)
    return ExitCode.FINDINGS if suggestion.unmended else ExitCode.OK


def _level(name: str) -> Level:
    from csv_gate.suggesting import Level

    found = next((level for level in Level if level.value.lower() == name.lower()), None)
    if found is None:
        raise UsageError("there is no such level", got=name, expected=", ".join(LEVELS))
    return found


def _policy_id(written: str | None) -> Guid | None:
    if written is None:
        return None
    try:
        return Guid.read(written)
    except ValueError:
        raise UsageError("this is no PolicyID", got=written, expected="{8-4-4-4-12 hexadecimal digits}") from None


def _tell(suggestion: Suggestion, console: Console) -> None:
    """What the policy promises, and what it does not, on stderr."""
    from csv_gate.report.escape import terminal

    for unmended in suggestion.unmended:
        console.tell(f"not mended: {terminal(unmended.path)}")
        for why in unmended.why:
            console.tell(f"   | {terminal(why, 2_000)}")
    for mended in suggestion.mended:
        if mended.notes or console.verbosity > 0:
            console.tell(f"{mended.level.value} for {terminal(mended.path)}")
            for note in mended.notes:
                console.tell(f"   | {terminal(note, 2_000)}")
    for caveat in suggestion.caveats:
        console.tell(f"note: {terminal(caveat, 2_000)}")
    counted = (
        (len(suggestion.mended), "allowed by the suggested policy"),
        (len(suggestion.unmended), "not mended"),
        (len(suggestion.untouched), "not blocked"),
    )
    told = ", ".join(f"{number} {word}" for number, word in counted if number) or "nothing to judge"
    console.tell(told if suggestion.policy is not None else f"{told}; there is no policy to write")
