"""OpenPGP packets: where each begins and ends, and a bounded reader of their fields (RFC 9580, section 4).

Input is attacker-controlled. A packet is a slice of what was given; its body is read by whoever knows its type.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from csv_gate.errors import FormatError, LimitError
from csv_gate.limits import Limits
from csv_gate.records import dataclass

SIGNATURE: Final = 2
SECRET_KEY: Final = 5
PUBLIC_KEY: Final = 6
SECRET_SUBKEY: Final = 7
MARKER: Final = 10
TRUST: Final = 12
USER_ID: Final = 13
PUBLIC_SUBKEY: Final = 14
USER_ATTRIBUTE: Final = 17
PADDING: Final = 21
FIRST_NONCRITICAL: Final = 40
"""A reader may pass over a type from here on that it does not know; below it must not (RFC 9580, section 4.3)."""
MAX_MPI_BITS: Final = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One packet with its framing taken off."""

    tag: int
    body: bytes
    offset: int
    """Of its first byte in what was read."""


def read_packets(octets: bytes, limits: Limits) -> Iterator[Packet]:
    """The packets, one after the other, to the very end.

    Lengths in parts and without end are for data, never for keys and signatures; they are refused.

    Raises:
        FormatError: something that is no packet, or one that ends behind the data.
        LimitError: more than `max_openpgp_packets`.
    """
    at = count = 0
    while at < len(octets):
        count += 1
        if count > limits.max_openpgp_packets:
            raise LimitError(f"more than max_openpgp_packets ({limits.max_openpgp_packets}) OpenPGP packets")
        tag, start, stop = _frame(octets, at)
        if stop > len(octets):
            raise FormatError("an OpenPGP packet ends behind the data", got=f"{stop} of {len(octets)} bytes, from offset {at}")
        yield Packet(tag=tag, body=octets[start:stop], offset=at)
        at = stop


def _frame(octets: bytes, at: int) -> tuple[int, int, int]:
    """Type, begin and end of the body of the packet at an offset (RFC 9580, sections 4.2.1 and 4.2.2)."""
    first = octets[at]
    if not first & 0x80:
        raise FormatError("this is no OpenPGP packet", got=f"{first:#04x} at offset {at}")
    head = octets[at + 1 : at + 6]
    if first & 0x40:
        tag = first & 0x3F
        if not head or 224 <= head[0] < 255:
            raise FormatError("the length of an OpenPGP packet comes in parts", got=f"type {tag} at offset {at}")
        size, used = _new_length(head)
    else:
        tag, width = (first >> 2) & 0x0F, (1, 2, 4, 0)[first & 3]
        if width == 0:
            raise FormatError("an OpenPGP packet states no length", got=f"type {tag} at offset {at}")
        if len(head) < width:
            raise FormatError("an OpenPGP packet is cut short", got=f"offset {at}")
        size, used = int.from_bytes(head[:width], "big"), width
    if tag == 0:
        raise FormatError("an OpenPGP packet has type 0", got=f"offset {at}")
    start = at + 1 + used
    return tag, start, start + size


def _new_length(head: bytes) -> tuple[int, int]:
    """A length of one, two or five octets and how many it took; the form in parts was refused before."""
    if head[0] < 192:
        return head[0], 1
    if head[0] < 255:
        if len(head) < 2:
            raise FormatError("an OpenPGP length is cut short")
        return ((head[0] - 192) << 8) + head[1] + 192, 2
    if len(head) < 5:
        raise FormatError("an OpenPGP length is cut short")
    return int.from_bytes(head[1:5], "big"), 5


class Fields:
    """Reads the fields of one body from its begin; every step checks that there is enough left."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.at = 0

    @property
    def rest(self) -> int:
        return len(self.octets) - self.at

    def take(self, size: int) -> bytes:
        """Raises FormatError where fewer are left."""
        if size > self.rest:
            raise FormatError("a field of an OpenPGP packet is cut short", got=f"{self.rest} bytes", expected=f"{size}")
        start, self.at = self.at, self.at + size
        return self.octets[start : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def length(self) -> int:
        """The length of a subpacket: as a packet's, but never in parts (RFC 9580, section 5.2.3.7)."""
        head = self.octets[self.at : self.at + 5]
        if not head:
            raise FormatError("a subpacket is cut short")
        size, used = _new_length(head)
        self.at += used
        return size

    def mpi(self) -> int:
        """A number with its size in bits before it. Some writers round the size up to whole octets, so leading zeros are passed."""
        bits = self.number(2)
        if bits > MAX_MPI_BITS:
            raise FormatError(
                "a number of an OpenPGP packet is too large", got=f"{bits} bits", expected=f"at most {MAX_MPI_BITS}"
            )
        return self.number((bits + 7) // 8)

    def end(self) -> None:
        """Raises FormatError where something is left."""
        if self.rest:
            raise FormatError("an OpenPGP packet has data behind its last field", got=f"{self.rest} bytes")
