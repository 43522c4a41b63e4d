"""Writes DER for tests: each function makes one element, malformed ones as readily as good ones."""

from __future__ import annotations

from datetime import datetime


def tlv(tag: int, *contents: bytes) -> bytes:
    body = b"".join(contents)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def seq(*parts: bytes) -> bytes:
    return tlv(0x30, *parts)


def set_of(*parts: bytes) -> bytes:
    return tlv(0x31, *parts)


def explicit(number: int, *parts: bytes) -> bytes:
    return tlv(0xA0 | number, *parts)


def octets(value: bytes) -> bytes:
    return tlv(0x04, value)


def bits(value: bytes, unused: int = 0) -> bytes:
    return tlv(0x03, bytes([unused]), value)


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def boolean(value: bool) -> bytes:
    return tlv(0x01, b"\xff" if value else b"\x00")


def null() -> bytes:
    return b"\x05\x00"


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    body = bytearray()
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        body += bytes(reversed(groups))
    return tlv(0x06, bytes(body))


def utc_time(time: datetime) -> bytes:
    return tlv(0x17, time.strftime("%y%m%d%H%M%SZ").encode())


def generalized_time(time: datetime) -> bytes:
    return tlv(0x18, time.strftime("%Y%m%d%H%M%SZ").encode())


def time_of_validity(time: datetime) -> bytes:
    return utc_time(time) if 1950 <= time.year < 2050 else generalized_time(time)


def algorithm(dotted: str, *parameters: bytes) -> bytes:
    return seq(oid(dotted), *(parameters or (null(),)))


DIGEST_OIDS = {
    "md5": "1.2.840.113549.2.5",
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}


def digest_algorithm(name: str) -> bytes:
    return algorithm(DIGEST_OIDS.get(name, name))
