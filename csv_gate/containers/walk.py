"""Walk a container and the containers in it, depth first, with a stack of its own.

Who asks says which members matter, by name and format; the others are passed over at the cost of their head (of their whole, where a
format can only be read front to back). A member or container that cannot be read is still found, with a gap that says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain
from types import MappingProxyType
from typing import Protocol

from csv_gate.containers.budget import Budget
from csv_gate.containers.content import Kept, keep
from csv_gate.containers.member import INSIDE, Content, Item, Member, View
from csv_gate.containers.names import Names, shown
from csv_gate.containers.openers import OPENERS
from csv_gate.errors import ArtifactError
from csv_gate.formats import HEAD_BYTES, UNSETTLED, detect_format, identify
from csv_gate.model.facts import FactName, Gap
from csv_gate.model.problems import Problem
from csv_gate.records import dataclass, field

_MAX_PROBLEMS = 200
"""Of one container."""
_SIZE_UNKNOWN = 1 << 62
"""For detection: what may be code further on counts as code until all of it was read."""


class Questions(Protocol):
    """What the asker wants to know. Paths are those of the outer file, `!/`, and the member's."""

    def passes(self, path: str) -> bool:
        """Whether anything of the member may matter, be it a container or not."""
        ...

    def wants(self, path: str, format: str) -> bool:
        """Whether the member itself matters, so that all of it has to be read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A member, or a container after all its members."""

    path: str
    format: str
    """`unknown` where it could not be read."""
    content: Content | None
    """Good until the next is asked for. `None`: it could not be read, or was not wanted."""
    size: int
    is_container: bool = False
    is_wanted: bool = True
    depth: int = 0
    """0: the outer file."""
    problems: tuple[Problem, ...] = ()
    gap: Gap | None = None
    """Why it, or not all of it, could be read."""


@dataclass(slots=True, kw_only=True)
class _Open:
    """A container that is being walked."""

    path: str
    format: str
    view: View
    kept: Kept | None
    items: Iterator[Item]
    is_wanted: bool
    inner_names: Mapping[str, str]
    names: Names = field(default_factory=Names)
    problems: list[Problem] = field(default_factory=list)
    gap: Gap | None = None

    def note(self, problem: Problem) -> None:
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(problem)

    def found(self, depth: int) -> Found:
        return Found(
            path=self.path,
            format=self.format,
            content=None if self.kept is None else self.kept.content,
            size=len(self.view),
            is_container=True,
            is_wanted=self.is_wanted,
            depth=depth,
            problems=tuple(self.problems),
            gap=self.gap,
        )

    def close(self) -> None:
        with suppress(BufferError):
            self.view.release()
        if self.kept is not None:
            self.kept.close()


def walk_container(content: Content, path: str, format: str, questions: Questions, budget: Budget) -> Iterator[Found]:
    """What is in the file `path`, whose format is one of `OPENERS`; last the file itself, with `content` None.

    Raises nothing for what the file holds: that is told as gaps and problems.
    """
    stack = [_opened(path, format, View(content), None, budget)]
    try:
        while stack:
            top = stack[-1]
            item = _next_item(top)
            if item is None:
                yield top.found(len(stack) - 1)
                stack.pop().close()
            elif isinstance(item, Problem):
                top.note(item)
            else:
                yield from _member(item, stack, questions, budget)
            if budget.exhausted is not None and stack:
                stack[-1].gap = stack[-1].gap or _gap(budget.exhausted)
    finally:
        while stack:
            stack.pop().close()


def _next_item(top: _Open) -> Item | None:
    """The next thing in a container; `None` at its end, or where it cannot be read on."""
    if top.gap is not None:
        return None
    try:
        return next(top.items, None)
    except ArtifactError as error:
        top.gap = _gap(error)
        return None


def _member(member: Member, stack: list[_Open], questions: Questions, budget: Budget) -> Iterator[Found]:
    """Look at one member: pass over it, tell of it, or open it as the new top of the stack."""
    top = stack[-1]
    try:
        budget.spend_member()
    except ArtifactError:
        return  # the walk tells it of the container
    name = top.inner_names.get(member.name, member.name)
    for problem in top.names.problems(name):
        top.note(problem)
    path = f"{top.path}{INSIDE}{shown(name)}"
    if not questions.passes(path):
        return
    kept: Kept | None = None
    try:
        format, is_wanted, kept = _read(member, path, questions, budget)
    except ArtifactError as error:
        if budget.exhausted is None:
            gap = Gap(what=FactName.CONTENT, why=f"the member cannot be read: {error}")
            yield Found(path=path, format="unknown", content=None, size=0, depth=len(stack), gap=gap)
        return
    if kept is None:
        yield Found(path=path, format=format, content=None, size=0, is_wanted=False, depth=len(stack))
        return
    if format in OPENERS:
        if len(stack) < budget.limits.max_container_depth:
            opened = _opened(
                path, format, View(kept.content), kept, budget, is_wanted=is_wanted, inner_names=member.inner_names
            )
            stack.append(opened)
            return
        gap = _gap_of_depth(budget)
        yield Found(
            path=path, format=format, content=kept.content, size=len(kept.content), is_container=True, depth=len(stack), gap=gap
        )
    else:
        yield Found(
            path=path, format=format, content=kept.content, size=len(kept.content), is_wanted=is_wanted, depth=len(stack)
        )
    kept.close()


def _read(member: Member, path: str, questions: Questions, budget: Budget) -> tuple[str, bool, Kept | None]:
    """Format, whether the member itself is wanted, and its content if it is, or if it is a container.

    Raises:
        ArtifactError: it cannot be read.
    """
    pieces = member.chunks()
    head, first = b"", []
    for piece in pieces:
        first.append(piece)
        head += piece
        if len(head) >= HEAD_BYTES:
            break
    is_whole = len(head) < HEAD_BYTES
    format = detect_format(head[:HEAD_BYTES], len(head) if is_whole else _SIZE_UNKNOWN, path)
    is_settled = format not in UNSETTLED
    is_wanted = is_settled and questions.wants(path, format)  # once for each member: who asks may count
    if is_settled and not (is_wanted or format in OPENERS):
        return format, False, None
    kept = keep(chain(first, pieces), budget)
    format, at_first = identify(kept.content, name=path, limits=budget.limits), format
    if not is_settled or (is_wanted and format != at_first):
        is_wanted = questions.wants(path, format)
    if not is_wanted and format not in OPENERS:
        kept.close()
        return format, False, None
    return format, is_wanted, kept


def _opened(
    path: str,
    format: str,
    view: View,
    kept: Kept | None,
    budget: Budget,
    *,
    is_wanted: bool = True,
    inner_names: Mapping[str, str] = MappingProxyType({}),
) -> _Open:
    name = path.rpartition("/")[2]
    items = OPENERS[format](view, name, budget)
    return _Open(path=path, format=format, view=view, kept=kept, items=items, is_wanted=is_wanted, inner_names=inner_names)


def _gap(error: ArtifactError) -> Gap:
    return Gap(what=FactName.MEMBERS, why=str(error))


def _gap_of_depth(budget: Budget) -> Gap:
    why = f"containers nest deeper than {budget.limits.max_container_depth} (max_container_depth)"
    return Gap(what=FactName.MEMBERS, why=why)
