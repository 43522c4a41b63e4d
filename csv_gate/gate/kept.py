"""What a process finds again of earlier runs, and keeps for later ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from csv_gate.formats import ExtractionSettings
from csv_gate.gate.plan import Plan
from csv_gate.gate.trusted import TrustedFiles
from csv_gate.model.facts import Facts
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
        self._trusted = trusted
        self._buffer: memoryview | None = None

    def look_ahead(self, entries: Iterable[Entry]) -> None:
        """Say what will be asked for next."""
        if self._trusted:
            found = (self._trusted.get(entry.location) for entry in entries)
            self._facts.look_ahead(digest for digest in found if digest is not None)

    def find(self, entry: Entry) -> Facts | None:
        """The facts of a file that was read before: one that nothing has touched, where files are trusted, else one of the same bytes.

        Raises:
            ArtifactError: it cannot be read, or changed while it was.
        """
        trusted = self._trusted.get(entry.location)
        if trusted is not None:
            facts = self._facts.facts(trusted)
            return None if facts is None or facts.size != entry.size else facts
        if self._facts.is_empty:
            return None  # what is not found has to be read once more
        looked_ns = self._files.now_ns()
        digest = self._digest(entry)
        facts = None if digest is None else self._facts.facts(digest)
        if digest is not None and facts is not None:
            self._keep_identity(entry, digest, looked_ns)
        return facts

    def _digest(self, entry: Entry) -> bytes | None:
        """Of a file that may be an image."""
        if self._buffer is None:
            self._buffer = piece_buffer()
        hasher = None
        for piece in read_pieces(entry, self._buffer):
            if hasher is None:
                if piece[:2] != IMAGE_MARK:
                    return None
                hasher = self._hash.new()
            hasher.update(piece)
        return None if hasher is None else hasher.digest()

    def now_ns(self) -> int:
        """The moment to hand to `keep`: taken before the file is opened."""
        return self._files.now_ns()

    def digest(self, content: Content) -> bytes:
        return self._hash.digest(content)

    def sha256(self, digest: bytes) -> bytes | None:
        """The SHA-256, if that is what the digest is."""
        return digest if self._hash.is_sha256 else None

    def facts(self, digest: bytes) -> Facts | None:
        return self._facts.facts(digest)

    def keep(self, entry: Entry, digest: bytes, facts: Facts, looked_ns: int) -> None:
        """Keep what a file's bytes say, if it can be kept, and which file that was."""
        if self._facts.keep(digest, facts):
            self._keep_identity(entry, digest, looked_ns)

    def _keep_identity(self, entry: Entry, digest: bytes, looked_ns: int) -> None:
        if self._trusts_files and entry.identity is not None:
            self._files.keep(entry.location, entry.identity, digest, looked_ns)

    def flush(self) -> None:
        """Write what waits."""
        self._database.flush()

    def close(self) -> None:
        """Write what waits, and let go."""
        self._database.close()
