"""`csv-gate check`: the main job."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, TextIO

from csv_gate.cli.console import Console
from csv_gate.cli.options import add_circumstance_options, add_config_options, add_target_options
from csv_gate.cli.outputs import Output, attachments_of, check_writable, parse_outputs, write_files
from csv_gate.cli.parser import or_environment, text, texts
from csv_gate.cli.progress import Progress
from csv_gate.cli.rendering import options_for, print_report
from csv_gate.errors import ExitCode, Place, UsageError
from csv_gate.model.result import Finding, RunResult
from csv_gate.records import dataclass
from csv_gate.report import FORMATS

if TYPE_CHECKING:
    from csv_gate.cli.selection import Selection
    from csv_gate.gate import SpooledResult
    from csv_gate.notify.circumstances import Circumstances

STUBS = "waiver stubs"
"""Stands beside the report formats where files are written."""
WHOLE = ("json", "jsonl")
"""Formats that are contracts with scripts: a baseline leaves nothing out of them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", metavar="PATH", nargs="*", help="files and folders; default: `inputs:` of the configuration")
    add_target_options(parser)
    group = parser.add_argument_group("what is looked at")
    group.add_argument("--include", metavar="GLOB", action="append", help="only these paths [CSV_GATE_INCLUDE]")
    group.add_argument(
        "--exclude", metavar="GLOB", action="append", help="not these paths; counted in the result [CSV_GATE_EXCLUDE]"
    )
    group.add_argument(
        "--no-containers", action="store_true", help="do not open archives, packages and installers [CSV_GATE_CONTAINERS=false]"
    )
    group.add_argument("--cross-check", action="store_true", help="compare each file with lief and pefile (extra: cross-check)")
    group.add_argument("--all-digests", action="store_true", help="also SHA-1 where no rule and no catalog holds one")
    group.add_argument("-j", "--jobs", metavar="N", type=int, help="processes; default: as many as pay [CSV_GATE_JOBS]")
    group.add_argument("--shard", metavar="N/M", help="judge the Nth of M parts only; `csv-gate merge` joins the results")
    group = parser.add_argument_group("what is kept between runs").add_mutually_exclusive_group()
    group.add_argument(
        "--cache",
        choices=("content", "trust-files"),
        help="find facts again by the hash of every byte (default), or by what the file system says too [CSV_GATE_CACHE]",
    )
    group.add_argument("--no-cache", action="store_true", help="read everything anew and keep nothing [CSV_GATE_CACHE=off]")
    add_config_options(parser)
    group = parser.add_argument_group("waivers and earlier results")
    group.add_argument("--waivers", metavar="FILE", help="written exceptions [CSV_GATE_WAIVERS]")
    group.add_argument(
        "--waivers-from", metavar="REF", help="read the waiver file as it is at this git ref [CSV_GATE_WAIVERS_FROM]"
    )
    group.add_argument("--write-waivers", metavar="FILE", help="write a waiver file with a stub for everything that fails")
    group.add_argument(
        "--baseline",
        metavar="RESULT.json",
        help="show only what is new since this result, and all that is undecided; the exit code and JSON stay whole",
    )
    group.add_argument("--diff", metavar="RESULT.json", help="tell what turned red, green or away since this result")
    group = parser.add_argument_group("result")
    group.add_argument(
        "-o", "--output", metavar="FORMAT[=FILE]", action="append", help=f"{', '.join(FORMATS)}; repeatable [CSV_GATE_OUTPUT]"
    )
    group.add_argument(
        "--fail-on",
        choices=("error", "warning", "note", "never"),
        help="findings that fail the build; default: error [CSV_GATE_FAIL_ON]",
    )
    group.add_argument(
        "--notify", action="store_true", help="page the owners as `notify` of the configuration says; resolves by --diff"
    )
    add_circumstance_options(parser)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beside:
    """What a run is compared with and told to, all of it read before the work starts."""

    baseline: RunResult | None
    last: RunResult | None
    circumstances: Circumstances | None
    """`None`: nobody is told."""


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    outputs = parse_outputs(or_environment(texts(args, "output"), console.environment, "CSV_GATE_OUTPUT"), FORMATS)
    stubs = text(args, "write_waivers")
    files = outputs if stubs is None else _with_stubs(outputs, stubs)
    check_writable(files)

    from csv_gate.cli.selection import select
    from csv_gate.gate import run as run_plan

    selection = select(args, console, texts(args, "paths"))
    if stubs is not None:
        _refuse_to_overwrite_waivers(stubs, selection)
    beside = _beside(args, console, selection)
    progress = Progress(console)
    try:
        judged = run_plan(selection.plan, progress)
    finally:
        progress.close()
    with judged as whole:
        failed: tuple[Finding, ...] = ()
        if beside.circumstances is not None:
            from csv_gate.cli.paging import tell_owners

            failed = tell_owners(whole, beside.last, beside.circumstances, selection.config.notify, console)
        result = whole.with_findings(failed)
        _write(files, result, selection, beside, console)
        return result.summary.exit_code


def _with_stubs(outputs: tuple[Output, ...], path: str) -> tuple[Output, ...]:
    added = Output(format=STUBS, path=path)
    taken = {os.path.realpath(output.path) for output in outputs if not output.is_stdout}
    if added.is_stdout or os.path.realpath(path) in taken:
        raise UsageError("waiver stubs need a file of their own", got=f"--write-waivers {path}", expected="a file name")
    return (*outputs, added)


def _beside(args: argparse.Namespace, console: Console, selection: Selection) -> _Beside:
    baseline, last = text(args, "baseline"), text(args, "diff")
    circumstances = None
    if args.notify:
        from csv_gate.cli.paging import circumstances_of, require_channels

        require_channels(selection.config.notify)
        circumstances = circumstances_of(args, console, selection.config.notify.run_url)
    return _Beside(
        baseline=None if baseline is None else _saved(baseline),
        last=None if last is None else _saved(last),
        circumstances=circumstances,
    )


def _saved(path: str) -> RunResult:
    from csv_gate.cli.saved import saved_result  # with what reads results back

    return saved_result(path)


def _refuse_to_overwrite_waivers(path: str, selection: Selection) -> None:
    configured = selection.config.waivers
    if configured is not None and os.path.realpath(path) == os.path.realpath(configured):
        raise UsageError(
            "the stubs would overwrite the waivers",
            place=Place(path=path),
            expected="another file; copy from it what is meant",
        )


def _write(files: tuple[Output, ...], result: SpooledResult, selection: Selection, beside: _Beside, console: Console) -> None:
    """All files, then the report on stdout, then what changed."""
    from csv_gate.report import render

    shown: RunResult = result
    if beside.baseline is not None:
        from csv_gate.waivers import NewOnly

        shown = NewOnly(result, beside.baseline)
    look = options_for(console, docs_url=selection.config.docs_url, base=selection.plan.base, attachments=attachments_of(files))

    def render_file(format: str, stream: TextIO) -> None:
        if format == STUBS:
            stream.write(_stubs(result, selection))
            return
        render(format, result if format in WHOLE else shown, stream, look.for_file())

    write_files(files, render_file)
    format = next(output.format for output in files if output.is_stdout)
    print_report(format, result if format in WHOLE else shown, console, look)
    if beside.last is not None:
        from csv_gate.report.changes import changes, lines_of

        for line in lines_of(changes(beside.last, result)):
            console.tell(line)


def _stubs(result: SpooledResult, selection: Selection) -> str:
    from datetime import timedelta

    from csv_gate.waivers import write_stubs

    expires = selection.plan.evaluated_at.date() + timedelta(days=30)
    return write_stubs(result.notable_artifacts, expires=expires, fail_on=selection.plan.fail_on)
