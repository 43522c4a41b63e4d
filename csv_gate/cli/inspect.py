"""`csv-gate inspect`: the facts of files as a person reads them. No policy is asked for and nothing is judged."""

from __future__ import annotations

import argparse
from pathlib import Path

from csv_gate.cli.console import Console
from csv_gate.cli.parser import text, texts
from csv_gate.errors import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", metavar="PATH", nargs="+", help="files and folders; of containers also the members")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each file")
    parser.add_argument("--catalog", metavar="FILE", action="append", help="security catalog that may list the file")
    parser.add_argument("--root", metavar="FILE", action="append", help="further root certificates, PEM or DER")
    parser.add_argument("--openpgp-key", metavar="FILE", action="append", help="OpenPGP public keys, armored or binary")
    parser.add_argument("--sigstore-root", metavar="FILE", help="trusted root that sigstore bundles are verified with")


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.cli.rendering import options_for
    from csv_gate.gate.anchors import read_openpgp_keys, read_roots
    from csv_gate.gate.inspection import inspect
    from csv_gate.model.result_json import facts_json
    from csv_gate.report.escape import json_line
    from csv_gate.report.inspect_tree import render_inspection

    options = options_for(console).stdout
    roots = tuple(der for path in texts(args, "root") for der in read_roots(Path(path)))
    keys = tuple(read_openpgp_keys(Path(path)) for path in texts(args, "openpgp_key"))
    is_incomplete = False
    root = text(args, "sigstore_root")
    found = inspect(
        texts(args, "paths"),
        catalogs=texts(args, "catalog"),
        given_roots=roots,
        given_openpgp_keys=keys,
        sigstore_root=None if root is None else Path(root),
    )
    for artifact in found:
        facts = artifact.facts
        is_incomplete = is_incomplete or any(gap.what in ("content", "members") for gap in facts.gaps)
        if args.json:
            gaps = [{"what": gap.what.value, "why": gap.why} for gap in facts.gaps]
            row = {"path": artifact.path, "size": facts.size, "format": facts.format, "facts": facts_json(facts), "gaps": gaps}
            console.out.write(json_line(row) + "\n")
        else:
            render_inspection(artifact, console.out, options)
    return ExitCode.UNDECIDED if is_incomplete else ExitCode.OK
