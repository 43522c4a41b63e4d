"""The `owners:` table of a configuration: path globs of the build output, and who answers for what they mean."""

from __future__ import annotations

from typing import ClassVar

from csv_gate.documents import says
from csv_gate.errors import ConfigError, Place
from csv_gate.globs import Glob
from csv_gate.model.result import Owner
from csv_gate.records import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerName:
    """A team or an engineer; in a file also the name alone."""

    SHORTHAND: ClassVar[str] = "name"

    name: str = field(metadata=says("Team or engineer, as people know them: `@org/team`, an e-mail address, a name."))
    contact: str | None = field(default=None, metadata=says("How to reach them: a channel, an address, a routing name."))
    place: Place = field(metadata=says("", given="place"))

    def owner(self) -> Owner:
        return Owner(name=self.name, contact=self.contact, source=str(self.place))


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRule:
    """One row of the table; the last row that means a path wins, as in CODEOWNERS."""

    paths: tuple[Glob, ...] = field(metadata=says("Path globs of the build output."))
    name: str = field(metadata=says("Team or engineer who answers for them."))
    contact: str | None = field(default=None, metadata=says("How to reach them: a channel, an address, a routing name."))
    place: Place = field(metadata=says("", given="place"))

    def __post_init__(self) -> None:
        if not self.paths:
            raise ConfigError("an owner rule without paths means nothing", place=self.place)

    def matching(self, path: str) -> Glob | None:
        return next((glob for glob in self.paths if glob.matches(path)), None)

    def owner(self) -> Owner:
        return Owner(name=self.name, contact=self.contact, source=str(self.place))
