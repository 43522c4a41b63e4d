"""A short reading of a PE file of its own, for tests of signatures: where its certificate table is and what Authenticode digests."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator


class RawPe:
    """Signed content of a PE file (PE format: optional header, certificate table; Authenticode PE signature format, 2008)."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        header = struct.unpack_from("<I", data, 0x3C)[0]
        magic = struct.unpack_from("<H", data, header + 24)[0]
        self.checksum = header + 24 + 64
        self.directory = header + 24 + (96 if magic == 0x10B else 112) + 32
        self.table, self.table_size = struct.unpack_from("<II", data, self.directory)
        self.headers_size = struct.unpack_from("<I", data, header + 24 + 60)[0]
        count, optional_size = struct.unpack_from("<H", data, header + 6)[0], struct.unpack_from("<H", data, header + 20)[0]
        first = header + 24 + optional_size
        self.sections = [struct.unpack_from("<II", data, first + 40 * number + 16) for number in range(count)]

    def entries(self) -> Iterator[bytes]:
        """The PKCS #7 blocks of the certificate table."""
        position, end = self.table, min(self.table + self.table_size, len(self.data))
        while self.table and position + 8 <= end:
            length, revision, kind = struct.unpack_from("<IHH", self.data, position)
            if length < 8:
                return
            if (revision, kind) == (0x200, 2):
                yield self.data[position + 8 : position + length]
            position += length + 7 & ~7

    def digest(self, algorithm: str) -> bytes | None:
        end = self.table or len(self.data)
        hashed = hashlib.new(algorithm, self.data[: self.checksum])
        hashed.update(self.data[self.checksum + 4 : self.directory])
        hashed.update(self.data[self.directory + 8 : end])
        hashed.update(self.data[end + self.table_size :])
        return hashed.digest()

    def page_hash_table(self, algorithm: str) -> bytes | None:
        """Header page, then each section's pages of 4096 octets filled up with zeros, then the end with a zero digest."""
        header = self.data[: self.checksum] + self.data[self.checksum + 4 : self.directory]
        header += self.data[self.directory + 8 : self.headers_size]
        header += bytes(4096 - self.headers_size) if self.headers_size < 4096 else b""
        table = struct.pack("<I", 0) + hashlib.new(algorithm, header).digest()
        end = 0
        for size, start in sorted(self.sections, key=lambda section: section[1]):
            for offset in range(start, start + size, 4096):
                page = self.data[offset : min(offset + 4096, start + size)].ljust(4096, b"\0")
                table += struct.pack("<I", offset) + hashlib.new(algorithm, page).digest()
            end = max(end, start + size) if size else end
        return table + struct.pack("<I", end) + bytes(hashlib.new(algorithm).digest_size)
