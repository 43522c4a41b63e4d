"""What of a plan's inputs has changed since it was last green, by the file system's word: size, times and inode.

A comfort for the hook before a push, and no gate: a file whose content changed under the same size, times and inode is taken for unchanged.
Where anything but artifacts changed (policies, settings, waivers, catalogs, the tool, the day), everything is judged again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from csv_gate.containers import OPENERS
from csv_gate.errors import ArtifactError
from csv_gate.gate.heads import format_of
from csv_gate.gate.plan import EVERYWHERE, Plan, Target
from csv_gate.gate.survey import CATALOG
from csv_gate.limits import Limits
from csv_gate.model.verdict import Level
from csv_gate.records import dataclass, replace
from csv_gate.scan import Entry, FileIdentity, walk

STATE_VERSION = 1
MAX_STATE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A plan's inputs as they were listed."""

    context: str
    """Digest over everything but the artifacts that decides a run."""
    files: Mapping[str, str]
    """Path -> what tells that the file is still the same."""
    catalogs: frozenset[str]
    """Paths of security catalogs among the files, and of containers, which may hold some: what they list counts as signed."""

    def to_json(self) -> str:
        document = {
            "version": STATE_VERSION,
            "context": self.context,
            "files": dict(sorted(self.files.items())),
            "catalogs": sorted(self.catalogs),
        }
        return json.dumps(document, ensure_ascii=True)


def read_state(text: bytes) -> State | None:
    """A kept state; `None` for what is none, which only means that everything is judged."""
    try:
        document = json.loads(text)
        if document["version"] != STATE_VERSION:
            return None
        return State(
            context=str(document["context"]),
            files={str(path): str(mark) for path, mark in document["files"].items()},
            catalogs=frozenset(map(str, document["catalogs"])),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What is to be judged, and what to keep where that is green."""

    plan: Plan | None
    """`None`: nothing changed."""
    files: int
    """That many are judged."""
    state: State


def changed_since(plan: Plan, green: State | None) -> Changed:
    """The plan for what has changed since `green`.

    Raises:
        UsageError: an input does not exist.
    """
    entries = walk(plan.inputs, include=plan.include, exclude=plan.exclude, base=plan.base, limits=plan.limits).entries
    marks = {entry.path: _mark(entry) for entry in entries}
    context = _context(plan)
    if green is None or green.context != context:
        catalogs = frozenset(entry.path for entry in entries if _may_sign(entry, plan.limits))
        return Changed(plan=plan, files=len(entries), state=State(context=context, files=marks, catalogs=catalogs))
    fresh = [entry for entry in entries if entry.identity is None or green.files.get(entry.path) != marks[entry.path]]
    gone = green.catalogs - marks.keys()
    new_catalogs = frozenset(entry.path for entry in fresh if _may_sign(entry, plan.limits))
    kept_catalogs = (green.catalogs - {entry.path for entry in fresh}) - gone
    state = State(context=context, files=marks, catalogs=kept_catalogs | new_catalogs)
    if not fresh and not gone:
        return Changed(plan=None, files=0, state=state)
    catalogs_changed = gone or new_catalogs or any(entry.path in green.catalogs for entry in fresh)
    # What is named one by one has met the patterns, and its members, if it is a container, would meet none.
    is_patterned = any(not entry.is_included for entry in fresh) or bool(
        kept_catalogs and plan.opens_containers and (plan.include or plan.exclude)
    )
    # A part of the files leaves waivers unused, which is a note, and requirements idle, which is a warning.
    tells_idle = plan.fail_on is Level.NOTE or (plan.fail_on is Level.WARNING and bool(plan.requirements))
    if catalogs_changed or is_patterned or tells_idle or not _named_alike(plan, fresh):
        return Changed(plan=plan, files=len(entries), state=state)
    # Catalogs that did not change are looked at too: they may list what did.
    inputs = tuple(sorted({entry.path for entry in fresh} | kept_catalogs))
    # The patterns have had their say in the walk above.
    part = replace(plan, inputs=inputs, include=EVERYWHERE, exclude=EVERYWHERE)
    return Changed(plan=part, files=len(fresh), state=state)


def _named_alike(plan: Plan, fresh: Iterable[Entry]) -> bool:
    """Whether files that are named one by one keep the paths that patterns and routes see."""
    base = os.path.abspath(plan.base or Path.cwd())  # noqa: PTH100, links stay
    for entry in fresh:
        try:
            below = os.path.relpath(os.path.abspath(entry.path), base)  # noqa: PTH100
        except ValueError:  # another drive
            return False
        if Path(below).as_posix() != entry.scope:
            return False
    return True


def _may_sign(entry: Entry, limits: Limits) -> bool:
    try:
        format = format_of(entry, limits)
        return format == CATALOG or format in OPENERS
    except ArtifactError:
        return False


def _mark(entry: Entry) -> str:
    """With what lies beside it and may sign it."""
    own = [_mark_of(entry.identity), "alone"] if entry.is_alone else [_mark_of(entry.identity)]
    return " ".join((*own, *(f"{side.path}={_mark_of(side.identity)}" for side in entry.beside)))


def _mark_of(identity: FileIdentity | None) -> str:
    if identity is None:
        return "unreadable"
    return f"{identity.size}:{identity.modified_ns}:{identity.changed_ns}:{identity.inode}"


def _context(plan: Plan) -> str:
    parts = [
        plan.tool_version,
        plan.evaluated_at.date().isoformat(),
        plan.config_sha256,
        plan.fail_on,
        plan.is_cross_checked,
        plan.opens_containers,
        sorted(plan.inputs),
        [str(glob) for glob in plan.include],
        [str(glob) for glob in plan.exclude],
        [_file_digest(path) for path in (*plan.catalogs, *plan.requirement_catalogs)],
        [one.name for one in plan.requirements],
        [hashlib.sha256(der).hexdigest() for der in plan.given_roots],
        [hashlib.sha256(keys).hexdigest() for keys in plan.given_openpgp_keys],
        None if plan.sigstore_root is None else _file_digest(str(plan.sigstore_root)),
        [[waiver.id, repr(waiver)] for waiver in plan.waivers],
        [_target_context(target) for target in plan.targets],
    ]
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _target_context(target: Target) -> list[object]:
    roots: Mapping[Path, frozenset[str]] = getattr(target.routes, "trusted_roots", {})
    return [
        target.name,
        target.engine,
        target.is_enforced,
        [policy.sha256 for policy in target.policies.policies],
        [_file_digest(path) for path in target.catalogs],
        sorted([str(path), sorted(thumbprints)] for path, thumbprints in roots.items()),
    ]


def _file_digest(path: str) -> str:
    try:
        with open(path, "rb") as file:  # noqa: PTH123, the path may hold what Path refuses
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "unreadable"
