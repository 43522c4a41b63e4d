"""`csv-gate hook`: judge before a push what changed since the build output was last green."""

from __future__ import annotations

import argparse
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from csv_gate.cli.console import Console
from csv_gate.cli.options import add_config_options, add_target_options
from csv_gate.errors import ExitCode, NoArtifactsError
from csv_gate.records import replace

if TYPE_CHECKING:
    from csv_gate.gate import Plan
    from csv_gate.gate.since_green import State


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", choices=("install", "remove", "run"), help="write git's pre-push hook; take it away; what the hook does"
    )
    add_target_options(parser)
    add_config_options(parser)


def run(args: argparse.Namespace, console: Console) -> ExitCode:
    from csv_gate.cli import git_hooks

    if args.what == "install":
        hook, is_shared = git_hooks.install()
        console.tell(f"installed: {hook}")
        if is_shared:
            console.tell("core.hooksPath names a folder outside this repository: the hook holds for all that use it")
        return ExitCode.OK
    if args.what == "remove":
        removed = git_hooks.remove()
        console.tell("there is no pre-push hook" if removed is None else f"removed: {removed}")
        return ExitCode.OK
    return _judge(args, console, git_hooks.state_path())


def _judge(args: argparse.Namespace, console: Console, kept: Path) -> ExitCode:
    from csv_gate.cli.rendering import options_for, print_report
    from csv_gate.cli.selection import select
    from csv_gate.gate import run as run_plan
    from csv_gate.gate.since_green import changed_since

    selection = select(args, console, ())
    plan = _with_what_is_built(selection.plan, console)
    if plan is None:
        return ExitCode.OK
    changed = changed_since(plan, _kept(kept))
    if changed.plan is None:
        console.tell(f"csv-gate: nothing changed since it was last green ({len(changed.state.files)} files)")
        _keep(kept, changed.state)
        return ExitCode.OK
    try:
        judged = run_plan(changed.plan)
    except NoArtifactsError:
        console.tell(f"csv-gate: none of {changed.files} changed files is judged by any target")
        _keep(kept, changed.state)
        return ExitCode.OK
    with judged as result:
        look = options_for(console, docs_url=selection.config.docs_url, base=plan.base)
        print_report("text", result, console, look)
        code = result.summary.exit_code
    if code is ExitCode.OK:
        _keep(kept, changed.state)
    else:
        console.tell("csv-gate: the push is stopped; `git push --no-verify` goes past it, the gate of the build does not")
    return code


def _with_what_is_built(plan: Plan, console: Console) -> Plan | None:
    """A push from a machine that built nothing must be possible: the gate is in the build."""
    there = tuple(path for path in plan.inputs if os.path.lexists(path))
    if not there:
        console.tell("csv-gate: there is no build output here, so nothing was judged")
        return None
    return replace(plan, inputs=there)


def _kept(path: Path) -> State | None:
    from csv_gate.gate.since_green import MAX_STATE_BYTES, read_state

    try:
        with path.open("rb") as file:
            return read_state(file.read(MAX_STATE_BYTES))
    except OSError:
        return None


def _keep(path: Path, state: State) -> None:
    """What cannot be kept is judged again next time."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):
        temporary.write_text(state.to_json(), encoding="utf-8")
        temporary.replace(path)
