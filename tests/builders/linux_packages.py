"""RPM and Debian packages made here, signed or not, one keyword for every lie."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import struct
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.builders import openpgp as pgp

Value = bytes | str | int | Sequence[str]
PAYLOAD: Final = gzip.compress(b"070701 payload " * 20, mtime=0)
MAGIC: Final = b"\x8e\xad\xe8\x01\0\0\0\0"


def header(values: Sequence[tuple[int, Value]], *, region: int | None = None, left_out: int = 0) -> bytes:
    """One header. `region`: with such a region over all entries but the last `left_out`."""
    index, store = b"", b""
    for tag, value in values:
        if isinstance(value, bytes):
            kind, count, octets = 7, len(value), value
        elif isinstance(value, str):
            kind, count, octets = 6, 1, value.encode() + b"\0"
        elif isinstance(value, int):
            store += bytes(-len(store) % 4)
            kind, count, octets = 4, 1, struct.pack(">I", value)
        else:
            kind, count, octets = 8, len(value), b"".join(text.encode() + b"\0" for text in value)
        index += struct.pack(">IIII", tag, kind, len(store), count)
        store += octets
    if region is not None:
        index = struct.pack(">IIII", region, 7, len(store), 16) + index
        store += struct.pack(">IIiI", region, 7, -(len(index) - 16 * left_out), 16)
    return MAGIC + struct.pack(">II", len(index) // 16, len(store)) + index + store


@dataclass(frozen=True, kw_only=True)
class Rpm:
    """What a package has. Digests that are `True` are right, `False` are left out, and text stands for itself."""

    header_key: pgp.Key | None = None
    whole_key: pgp.Key | None = None
    new_keys: Sequence[pgp.Key] = ()
    """Signers in the tag of rpm 6."""
    hash: int = 8
    type: int = 0
    header_tag: int = 268
    payload_digest: bool | str = True
    payload_algorithm: int = 8
    alternative: str | None = None
    sha1: bool | str = True
    sha256: bool | str = True
    md5: bool | bytes = True
    size: bool | int = True
    region: int | None = 63
    left_out: int = 0
    main: Sequence[tuple[int, Value]] = ()
    signature: Sequence[tuple[int, Value]] = ()
    payload: bytes = PAYLOAD
    shipped: bytes | None = None
    """The payload that stands in the file in place of the one that was signed."""
    epoch: int | None = None
    is_source: bool = False

    def build(self) -> bytes:
        name = {1: "md5", 2: "sha1", 8: "sha256", 10: "sha512"}[self.payload_algorithm]
        values: list[tuple[int, Value]] = [(1000, "tool"), (1001, "1.2"), (1002, "3"), (1011, "Vendor"), (1022, "x86_64")]
        if self.epoch is not None:
            values.append((1003, self.epoch))
        if not self.is_source:
            values.append((1044, "tool-1.2-3.src.rpm"))
        if self.payload_digest is not False:
            stated = hashlib.new(name, self.payload).hexdigest() if self.payload_digest is True else self.payload_digest
            values += [(5092, [stated]), (5093, self.payload_algorithm)]
        if self.alternative is not None:
            values.append((5097, [self.alternative]))
        main = header([*values, *self.main], region=self.region, left_out=self.left_out)
        signature = header(self._signature_values(main), region=62)
        lead = b"\xed\xab\xee\xdb\x03\0" + struct.pack(">HH66sHH16x", int(self.is_source), 1, b"tool-1.2-3", 1, 5)
        octets = lead + signature
        return octets + bytes(-len(octets) % 8) + main + (self.payload if self.shipped is None else self.shipped)

    def _signature_values(self, main: bytes) -> list[tuple[int, Value]]:
        whole = main + self.payload
        values: list[tuple[int, Value]] = []

        def add(tag: int, chosen: bool | Value, right: Callable[[], Value]) -> None:
            if chosen is not False:
                values.append((tag, right() if chosen is True else chosen))

        def sign(key: pgp.Key, content: bytes) -> bytes:
            return pgp.detached(content, key, hash=self.hash, type=self.type)

        if self.header_key is not None:
            values.append((self.header_tag, sign(self.header_key, main)))
        if self.whole_key is not None:
            values.append((1002, sign(self.whole_key, whole)))
        if self.new_keys:
            values.append((278, [base64.b64encode(sign(key, main)).decode() for key in self.new_keys]))
        add(269, self.sha1, lambda: hashlib.sha1(main).hexdigest())
        add(273, self.sha256, lambda: hashlib.sha256(main).hexdigest())
        add(1004, self.md5, lambda: hashlib.md5(whole).digest())
        add(1000, self.size, lambda: len(whole))
        return [*values, *self.signature]


def ar(members: Sequence[tuple[str, bytes]]) -> bytes:
    octets = b"!<arch>\n"
    for name, content in members:
        octets += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode() + content
        octets += b"\n" * (len(content) % 2)
    return octets


CONTROL: Final = (
    "Package: tool\nVersion: 1.2-3\nArchitecture: amd64\nMaintainer: Someone <s@example.invalid>\nDescription: x\n Version: 9\n"
)


def tarball(files: Sequence[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def deb_members(*, control: str = CONTROL, data: bytes = b"data " * 99) -> list[tuple[str, bytes]]:
    """The three members of an unsigned package."""
    packed = gzip.compress(tarball([("./md5sums", b"x"), ("./control", control.encode())]), mtime=0)
    return [
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", packed),
        ("data.tar.gz", gzip.compress(tarball([("./usr/bin/tool", data)]), mtime=0)),
    ]


def debsigs(members: Sequence[tuple[str, bytes]], key: pgp.Key, role: str = "origin", **how: object) -> tuple[str, bytes]:
    """The member that debsigs adds."""
    return f"_gpg{role}", pgp.detached(b"".join(content for _, content in members[:3]), key, **how)


def dpkg_sig(members: Sequence[tuple[str, bytes]], key: pgp.Key, role: str = "builder") -> tuple[str, bytes]:
    """The member that dpkg-sig adds."""
    lines = [
        f"\t{hashlib.md5(content).hexdigest()} {hashlib.sha1(content).hexdigest()} {len(content)} {name}"
        for name, content in members
    ]
    text = "\n".join(["Version: 4", "Signer: someone", "Date: today", f"Role: {role}", "Files: ", *lines])
    return f"_gpg{role}", pgp.clear_signed(text, key)
