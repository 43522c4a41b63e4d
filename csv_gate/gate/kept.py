"""What a process finds again of earlier runs, and keeps for later ones."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from csv_gate.errors import ArtifactError
from csv_gate.formats import ExtractionSettings
from csv_gate.gate.plan import Plan
from csv_gate.gate.trusted import TrustedFiles
from csv_gate.model.facts import Facts
from csv_gate.model.split_facts import SplitFacts
from csv_gate.scan import Content, Entry, piece_buffer, read_pieces
from csv_gate.store.content_hash import content_hash
from csv_gate.store.database import Database
from csv_gate.store.facts_cache import FactsCache, settings_key
from csv_gate.store.known_files import KnownFiles

IMAGE_MARK = b"MZ"
"""What every file begins with whose facts are kept (PE format, MS-DOS stub)."""


class KeptFacts:
    """One process's door to the store. Goes over a fork until it is first used."""

    def __init__(self, folder: Path, plan: Plan, settings: ExtractionSettings, trusted: TrustedFiles) -> None:
        self._database = Database(folder)
        self._hash = content_hash()
        self._facts = FactsCache(self._database, settings_key(settings, plan.tool_version), self._hash)
        self._files = KnownFiles(self._database)
        self._trusts_files = plan.trusts_files
        self._most_bytes = plan.limits.max_artifact_bytes
        self._trusted = trusted
        self._buffer: memoryview | None = None
        self._ahead: dict[str, tuple[bytes, int]] = {}
        """Location -> digest of the bytes, and the moment before they were read."""

    @property
    def was_kept(self) -> bool:
        """Whether there is a store from earlier; asking does not open it."""
        return not self._database.is_new

    def look_ahead(self, entries: Iterable[Entry]) -> None:
        """Hash the files that `find` will be asked for next, and fetch what is kept of them at once."""
        self._ahead = {}
        for entry in entries:
            looked_ns = self._files.now_ns()
            digest = self._trusted.get(entry.location) or self._digest(entry)
            if digest is not None:
                self._ahead[entry.location] = digest, looked_ns
        self._facts.look_ahead(digest for digest, _ in self._ahead.values())

    def find(self, entry: Entry) -> SplitFacts | None:
        """The facts of a file that was read before: one that nothing has touched, where files are trusted, else one of the same bytes."""
        if entry.location not in self._ahead:
            return None
        digest, looked_ns = self._ahead.pop(entry.location)
        facts = self._facts.facts(digest)
        if facts is None or facts.size != entry.size:
            return None
        if entry.location not in self._trusted:
            self.keep_identity(entry, digest, looked_ns)
        return facts

    def _digest(self, entry: Entry) -> bytes | None:
        """Of a file that may be known by its bytes alone."""
        # What is not found then has to be read once more; and a signature that lies beside a file is over its bytes.
        if self._facts.is_empty or entry.beside or entry.is_alone or entry.size > self._most_bytes:
            return None
        if self._buffer is None:
            self._buffer = piece_buffer()
        hasher = self._hash.new()
        is_image = False
        try:
            with closing(read_pieces(entry, self._buffer)) as pieces:
                for piece in pieces:
                    is_image = is_image or piece[:2] == IMAGE_MARK
                    if not is_image:
                        break
                    hasher.update(piece)
        except ArtifactError:
            return None  # whoever reads it whole meets that again, and tells it
        return hasher.digest() if is_image else None

    def now_ns(self) -> int:
        """The moment to hand to `keep`: taken before the file is opened."""
        return self._files.now_ns()

    def digest(self, content: Content) -> bytes:
        return self._hash.digest(content)

    def sha256(self, digest: bytes) -> bytes | None:
        """The SHA-256, if that is what the digest is."""
        return digest if self._hash.is_sha256 else None

    def facts(self, digest: bytes) -> Facts | None:
        """The facts of a file whose bytes have this digest."""
        kept = self._facts.facts(digest)
        try:
            return None if kept is None else kept.whole()
        except ValueError:
            return None  # none of our writing

    def keep(self, entry: Entry, digest: bytes, facts: Facts, looked_ns: int) -> None:
        """Keep what a file's bytes say, if it can be kept, and which file that was."""
        if self._facts.keep(digest, facts):
            self.keep_identity(entry, digest, looked_ns)

    def keep_identity(self, entry: Entry, digest: bytes, looked_ns: int) -> None:
        """Keep which file these bytes were."""
        if self._trusts_files and entry.identity is not None:
            self._files.keep(entry.location, entry.identity, digest, looked_ns)

    def flush(self) -> None:
        """Write what waits."""
        self._database.flush()

    def close(self) -> None:
        """Write what waits, and let go."""
        self._database.close()
