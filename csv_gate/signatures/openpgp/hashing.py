"""What a signature hashes: content as it is or as text, what stands before it and behind it (RFC 9580, section 5.2.4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Protocol

from csv_gate.lazy import regex
from csv_gate.signatures.openpgp.algorithms import HASHES
from csv_gate.signatures.openpgp.signature_packet import TEXT, Signature

Chunk = bytes | memoryview


class Sink(Protocol):
    """Takes content piece by piece, as the objects of `hashlib` do."""

    def update(self, data: Chunk, /) -> None: ...


Feed = Callable[[Sink], None]
"""Gives the whole content to a sink. Called once for each way to hash it; the content may be larger than memory."""

_LINE_END = regex(rb"\r*\n")


class TextSink:
    """Passes text on with every line ended by CR LF. As GnuPG does, all CR before a line end go with it."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._held = 0
        """CR at the end of what came: whether they stay is told by what comes."""

    def update(self, data: Chunk, /) -> None:
        octets = bytes(data)
        body = octets.rstrip(b"\r")
        held, self._held = self._held, len(octets) - len(body)
        if not body:
            self._held += held
        else:
            self._sink.update(_LINE_END.sub(b"\r\n", b"\r" * held + body))

    def finish(self) -> None:
        """The content is over. CR at its very end stand before no line end and go, as GnuPG has it."""
        self._held = 0


def digest_of(signature: Signature, feed: Feed) -> bytes | None:
    """The digest that a signature over content is made of; `None`: its hash algorithm is not known."""
    known = HASHES.get(signature.hash)
    if known is None:
        return None
    hasher = hashlib.new(known.name, signature.salt, usedforsecurity=False)
    if signature.type == TEXT:
        text = TextSink(hasher)
        feed(text)
        text.finish()
    else:
        feed(hasher)
    hasher.update(signature.trailer)
    return hasher.digest()


def digest_over(signature: Signature, parts: Iterable[bytes]) -> bytes | None:
    """As `digest_of`, over keys and user IDs in their hashed form."""

    def feed(sink: Sink) -> None:
        for part in parts:
            sink.update(part)

    return digest_of(signature, feed)


def verifies_left16(signature: Signature, digest: bytes) -> bool:
    """Whether the two octets that a signature repeats of its digest are those."""
    return digest[:2] == signature.left16
