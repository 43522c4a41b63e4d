"""What a signature is compared with: the border to the rooms that know file formats."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

from csv_gate.records import dataclass


class SignedContent(Protocol):
    """A file as its signatures see it. Digests are asked for by name: `md5`, `sha1`, `sha256`, `sha384`, `sha512`."""

    def digest(self, algorithm: str) -> bytes | None:
        """The digest by the format's own rule; None where the format has no such digest."""
        ...

    def page_hash_table(self, algorithm: str) -> bytes | None:
        """The page-hash table as a signer would write it ({u32 offset, digest} per page, then a zero entry); None: no such thing."""
        ...


class ListedDigests:
    """The digests by which catalogs may list a file: the one by its own format's rule, and the flat one as of any file. To be asked by
    `CatalogIndex.signatures_for`; each flat digest is taken once."""

    def __init__(self, view: memoryview, content: SignedContent | None = None, **known: bytes) -> None:
        """`content`: the file by its own format's rule, where that has one; `known`: flat digests that were taken before."""
        self._view = view
        self._content = content
        self._flat = dict(known)

    def __call__(self, algorithm: str) -> Sequence[bytes]:
        if algorithm not in self._flat:
            self._flat[algorithm] = hashlib.new(algorithm, self._view, usedforsecurity=False).digest()
        own = None if self._content is None else self._content.digest(algorithm)
        return [self._flat[algorithm]] if own is None else [own, self._flat[algorithm]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What kind of file a signature must have been made for. A signature for another kind signs nothing here, whatever it hashes."""

    data_type: str
    """Dotted OID: `SpcIndirectData.data.type`."""
    interface: bytes | None = None
    """The 16 octets of the subject interface that SpcSipInfo names; `None`: the type has no such thing."""
    name: str
    """For people: `a PowerShell script`."""
