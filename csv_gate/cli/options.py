"""Options that several verbs have. Declaring them imports nothing heavy: `--help` must be cheap."""

from __future__ import annotations

import argparse

MODES = ("policy", "enforce")
"""The values of `csv_gate.model.context.Mode`."""


def add_target_options(parser: argparse.ArgumentParser) -> None:
    """`--policy`, `--target` and what else decides the verdicts."""
    group = parser.add_argument_group("what it is judged by")
    add = group.add_argument
    add("-p", "--policy", metavar="FILE", action="append", help="App Control policy; several make one set [CSV_GATE_POLICY]")
    add("-t", "--target", metavar="NAME", action="append", help="target of csv-gate.yaml; default: all [CSV_GATE_TARGET]")
    add("--catalog", metavar="FILE", action="append", help="security catalog that is installed on the targets")
    add("--root", metavar="FILE", action="append", help="further root certificates, PEM or DER")
    add("--openpgp-key", metavar="FILE", action="append", help="OpenPGP public keys, armored or binary")
    add("--sigstore-root", metavar="FILE", help="trusted root that sigstore bundles are verified with")
    add("--mode", choices=MODES, help="'enforce' judges audit policies as if enforced [CSV_GATE_MODE]")
    scenario = group.add_mutually_exclusive_group()
    scenario.add_argument("--kernel", action="store_true", help="judge every file as kernel code, whatever its header says")
    scenario.add_argument("--user", action="store_true", help="judge every file as user code, whatever its header says")
    add("--evaluated-at", metavar="TIME", help="the instant to judge at, RFC 3339; default: now")


def add_config_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("configuration").add_mutually_exclusive_group()
    group.add_argument(
        "--config", metavar="FILE", help="default: csv-gate.yaml here or above in the repository [CSV_GATE_CONFIG]"
    )
    group.add_argument("--no-config", action="store_true", help="use no configuration file")


def add_circumstance_options(parser: argparse.ArgumentParser) -> None:
    """What pages are told of a run; for `csv_gate.cli.paging`."""
    group = parser.add_argument_group("the run, where the variables of the CI system do not tell")
    group.add_argument("--project", metavar="NAME", help="what pages call the project; part of the key that joins them")
    group.add_argument("--branch", metavar="NAME", help="the branch that was built")
    group.add_argument("--run-url", metavar="URL", help="address of the run")
    group.add_argument("--pull-request", action="store_true", help="the run is for a pull request: pages nobody by default")
