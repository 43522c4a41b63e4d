"""Signatures in files beside the one that is judged: added to facts after those came from the bytes or from the store.

Members of containers have none: what lies beside them in the same container is not looked at.
"""

from __future__ import annotations

from csv_gate.errors import LimitError
from csv_gate.formats import ExtractionSettings
from csv_gate.formats.detached import needs_its_file, with_detached
from csv_gate.limits import Limits
from csv_gate.model.facts import Facts
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import dataclass, replace
from csv_gate.scan import Content, Entry, open_content


@dataclass(frozen=True, slots=True)
class _Side:
    """One listed side file, opened under the guards that artifacts are opened under."""

    entry: Entry
    limits: Limits

    @property
    def name(self) -> str:
        return self.entry.path.rsplit("/", 1)[-1]

    def read(self, most: int) -> bytes:
        """Raises ArtifactError: it cannot be read, is not what was listed any more, or is too large."""
        if self.entry.size > most:
            raise LimitError(f"{self.entry.size} bytes, more than max_detached_bytes ({most})")
        with open_content(self.entry, replace(self.limits, max_artifact_bytes=most)) as content:
            return bytes(content)


def with_sides(facts: Facts, content: Content, entry: Entry, settings: ExtractionSettings) -> Facts:
    """The facts of a listed file with what the files beside it say; `content` are its bytes. Raises nothing for what they hold."""
    if entry.is_alone and len(content) <= settings.limits.max_detached_bytes:
        name = entry.path.rsplit("/", 1)[-1]
        if needs_its_file(bytes(content[:]), name, settings.limits):
            problem = Problem(code=ProblemCode.DETACHED_ALONE, detail=f"the file that {name} signs does not lie beside it")
            facts = replace(facts, problems=(*facts.problems, problem))
    if entry.beside:
        facts = with_detached(facts, content, [_Side(side, settings.limits) for side in entry.beside], settings)
    return facts
