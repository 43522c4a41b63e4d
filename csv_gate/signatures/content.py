"""What a signature is compared with: the border to the rooms that know file formats."""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What kind of file a signature must have been made for. A signature for another kind signs nothing here, whatever it hashes."""

    data_type: str
    """Dotted OID: `SpcIndirectData.data.type`."""
    interface: bytes | None = None
    """The 16 octets of the subject interface that SpcSipInfo names; `None`: the type has no such thing."""
    name: str
    """For people: `a PowerShell script`."""
