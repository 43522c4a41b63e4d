"""Facts of files that were read before, found again by a hash of the bytes.

An entry's key is made of the file's digest and of all that extraction depends on besides: the extractor's version, limits, roots,
keys and catalogs. So a changed file, another catalog or another release never meets an old entry. Each entry carries a checksum over key
and text; what does not fit is as good as not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import islice
from typing import Final

from csv_gate.formats.detect import PE
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.model.facts import FACTS_VERSION, Facts
from csv_gate.model.split_facts import SplitFacts
from csv_gate.store.content_hash import ContentHash
from csv_gate.store.database import Database, Row
from csv_gate.store.facts_text import UNREADABLE, FactsReader, FactsWriter, unwritten

KEPT_FORMAT: Final = PE
"""What other files are depends on their names too, and the key holds content alone."""
_TEXT_VERSION: Final = b"2"
"""Of what `facts_text` writes."""
_DAY_NS: Final = 86_400 * 1_000_000_000
_SUM_BYTES: Final = 16
_ROWS_AHEAD: Final = 256


def settings_key(settings: ExtractionSettings, tool_version: str) -> bytes:
    """All that facts depend on besides the bytes of the file."""
    catalogs = [(catalog.path, catalog.sha256) for catalog in settings.catalogs.catalogs]
    roots = settings.roots
    given = [hashlib.sha256(der).hexdigest() for der in roots.given]
    everything = (
        FACTS_VERSION,
        tool_version,
        repr(settings.limits),
        settings.takes_sha1,
        settings.verify_all_checksums,
        roots.includes_known,
        given,
        [hashlib.sha256(keys).hexdigest() for keys in settings.openpgp_keys],
        catalogs,
    )
    return hashlib.sha256(repr(everything).encode("utf-8", "surrogateescape")).digest()


class FactsCache:
    """The facts that are kept for one way of extracting them."""

    def __init__(self, database: Database, settings: bytes, hash: ContentHash) -> None:
        """`settings` is a `settings_key`."""
        self._database = database
        self._settings = _TEXT_VERSION + hash.name.encode() + settings
        self._day = database.clock() // _DAY_NS
        self._reader = FactsReader(self._find_part)
        self._writer = FactsWriter(self._keep_part)
        self._trims = database.trims
        self._holds_any: bool | None = None
        self._is_complete = not unwritten()
        self._ahead: dict[bytes, tuple[bytes, Row | None]] = {}
        """Key and row by digest."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was kept when this process first asked."""
        if self._holds_any is None:
            self._holds_any = bool(self._database.rows("SELECT 1 FROM facts LIMIT 1", ()))
        return not self._holds_any

    def look_ahead(self, digests: Iterable[bytes]) -> None:
        """Fetch at once what will be asked for next."""
        keys = {digest: self._key(digest) for digest in islice(digests, _ROWS_AHEAD)}
        rows = self._database.rows_by_key(f"{_SELECT} IN", list(keys.values()))
        self._ahead = {digest: (key, rows.get(key)) for digest, key in keys.items()}

    def facts(self, digest: bytes) -> SplitFacts | None:
        """The facts of a file with this digest, as they were extracted; `None`: not known."""
        key, row = self._ahead.pop(digest) if digest in self._ahead else self._asked(digest)
        if row is None or not self._is_complete:
            return None
        _, day, found, body = row
        try:
            if found != checksum(key, body.encode("ascii")):
                raise ValueError("damaged")
            facts = self._reader.facts(body)
        except UNREADABLE:
            self._database.later("DELETE FROM facts WHERE key = ?", key)
            return None
        if day != self._day:
            self._database.later("UPDATE facts SET day = ? WHERE key = ?", self._day, key)
        return facts

    def _asked(self, digest: bytes) -> tuple[bytes, Row | None]:
        key = self._key(digest)
        return key, next(iter(self._database.rows(f"{_SELECT} = ?", (key,))), None)

    def keep(self, digest: bytes, facts: Facts) -> bool:
        """Keep what extraction of the bytes with this digest came to, if it can be kept. Facts without digests are of no file."""
        if not self._database.is_usable or not self._is_complete or facts.digests is None or facts.format != KEPT_FORMAT:
            return False
        if self._trims != self._database.trims:  # parts that were written may be gone
            self._trims, self._writer = self._database.trims, FactsWriter(self._keep_part)
        key = self._key(digest)
        try:
            body = self._writer.text(facts)
            row = (key, self._day, checksum(key, body.encode("ascii")), body)
        except UNREADABLE:
            return False
        self._database.later("INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?)", *row)
        return True

    def _key(self, digest: bytes) -> bytes:
        return hashlib.sha256(self._settings + digest).digest()

    def _keep_part(self, name: str, text: str) -> None:
        self._database.later("INSERT OR IGNORE INTO parts VALUES (?, ?)", name, text)

    def _find_part(self, name: str) -> str:
        for (body,) in self._database.rows("SELECT body FROM parts WHERE name = ?", (name,)):
            return str(body)
        raise LookupError(name)


_SELECT: Final = "SELECT key, day, sum, body FROM facts WHERE key"


def checksum(key: bytes, body: bytes) -> bytes:
    """What tells that an entry is whole, and under its own key."""
    return hashlib.blake2b(body, key=key, digest_size=_SUM_BYTES).digest()
