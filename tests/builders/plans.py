"""Plans of runs over real files, with an injected clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from csv_gate.gate import Plan, Target, Uniform
from csv_gate.model.context import AppControlContext, CodeMode, Mode
from csv_gate.policies import join_policies, read_policy

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def target(
    *policies: bytes,
    name: str = "prod",
    mode: Mode = Mode.POLICY,
    code_mode: CodeMode | None = None,
    catalogs: Sequence[Path] = (),
) -> Target:
    context = AppControlContext(evaluated_at=NOON, mode=mode, code_mode=code_mode)
    return Target(
        name=name,
        policies=join_policies([read_policy(data, path=f"{name}-{n}.xml") for n, data in enumerate(policies)]),
        routes=Uniform(context),
        is_enforced=mode is Mode.ENFORCE,
        catalogs=tuple(str(path) for path in catalogs),
    )


def plan(*inputs: Path, targets: Sequence[Target], **changes: Any) -> Plan:
    return Plan(
        inputs=tuple(str(path) for path in inputs), targets=tuple(targets), evaluated_at=NOON, tool_version="1.2.3", **changes
    )
