"""Octets to ASN.1 elements: a reader of DER, tolerant to BER, that never copies, never recurses and keeps raw ranges.

Signatures are made over octets, so an element here is four offsets into the one buffer that was read: what is hashed is what was
written, never an encoding made anew. Only what is asked for is looked at; the rest is skipped by its length. Indefinite lengths and
lengths that are longer than they need be are read (X.690, 8.1.3) and noted in `Source.not_der`, since some signers write them.

Not modelled: types beyond those that signatures use; a caller asks for a tag and gets an error for any other.

    source = Source(octets)
    algorithm, value = source.root().fields("AlgorithmIdentifier")...
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from csv_gate.errors import FormatError, LimitError
from csv_gate.limits import DEFAULT_LIMITS, Limits

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31
MAX_LENGTH_OCTETS = 4
"""A longer length field says 4 GiB and more: larger than any artifact."""
MAX_OID_OCTETS = 128


def context(number: int, *, constructed: bool = True) -> int:
    """The tag octet of `[number]`."""
    return (0xA0 if constructed else 0x80) | number


class Source:
    """One buffer and how much may still be read from it. The octets are attacker-controlled."""

    __slots__ = ("data", "max_depth", "nodes_left", "not_der")

    def __init__(self, data: bytes, *, limits: Limits = DEFAULT_LIMITS, max_nodes: int | None = None) -> None:
        self.data = data
        self.nodes_left = limits.max_asn1_nodes if max_nodes is None else max_nodes
        self.max_depth = limits.max_asn1_depth
        self.not_der = False
        """Something was read that BER allows and DER does not."""

    def root(self) -> Element:
        """The element at the start of the buffer; octets may follow it (see `Element.stop`).

        Raises:
            FormatError: there is no whole element.
            LimitError: more elements than allowed were read.
        """
        return self.read(0, len(self.data))

    def read(self, position: int, end: int) -> Element:
        """The element at `position`, which must lie before `end` as a whole."""
        data = self.data
        self.nodes_left -= 1
        if self.nodes_left < 0:
            raise LimitError("an ASN.1 structure has too many elements", expected="at most limits.max_asn1_nodes")
        body = position + 2
        if body > end:
            raise _truncated(position)
        tag = data[position]
        if tag & 0x1F == 0x1F:  # a tag number above 30: nothing here uses one, so it is only skipped
            while body < end and data[body - 1] & 0x80:
                body += 1
            body += 1
            if body > end:
                raise _truncated(position)
        length = data[body - 1]
        if length < 0x80:
            content_end = stop = body + length
        elif length == 0x80:
            if not tag & 0x20:
                raise FormatError("a primitive ASN.1 element has no length", got=f"tag {tag:#x} at offset {position:#x}")
            self.not_der = True
            content_end = self._end_of_contents(body, end)
            stop = content_end + 2
        else:
            count = length & 0x7F
            if count > MAX_LENGTH_OCTETS:
                raise FormatError("an ASN.1 length is absurd", got=f"{count} octets at offset {position:#x}")
            length = int.from_bytes(data[body : body + count], "big")
            if length < 0x80 or data[body] == 0:
                self.not_der = True
            body += count
            content_end = stop = body + length
        if stop > end:
            raise _truncated(position)
        return Element(self, tag, position, body, content_end, stop)

    def _end_of_contents(self, position: int, end: int) -> int:
        """Where the end-of-contents octets of an indefinite length stand: a walk with a counter for the depth."""
        data, depth = self.data, 1
        while True:
            if position + 2 > end:
                raise _truncated(position)
            if data[position] == 0 and data[position + 1] == 0:
                depth -= 1
                if depth == 0:
                    return position
                position += 2
                continue
            if data[position + 1] == 0x80 and data[position] & 0x20 and data[position] & 0x1F != 0x1F:
                depth += 1
                self.nodes_left -= 1
                if depth > self.max_depth or self.nodes_left < 0:
                    raise LimitError("an ASN.1 structure is nested too deep", expected="at most limits.max_asn1_depth")
                position += 2
            else:
                position = self.read(position, end).stop


def _truncated(position: int) -> FormatError:
    return FormatError("an ASN.1 element reaches past the end of what holds it", got=f"offset {position:#x}")


class Element:
    """One element: its tag octet and where its header, its contents and its end are."""

    __slots__ = ("body", "end", "source", "start", "stop", "tag")

    def __init__(self, source: Source, tag: int, start: int, body: int, end: int, stop: int) -> None:
        self.source = source
        self.tag = tag
        self.start = start
        self.body = body
        """Offset of the contents."""
        self.end = end
        """Offset behind the contents."""
        self.stop = stop
        """Offset behind the element: behind the end-of-contents octets where there are any."""

    @property
    def raw(self) -> bytes:
        """The whole element as encoded."""
        return self.source.data[self.start : self.stop]

    @property
    def contents(self) -> bytes:
        """Without tag and length."""
        return self.source.data[self.body : self.end]

    @property
    def size(self) -> int:
        return self.stop - self.start

    def expect(self, *tags: int) -> Element:
        """This element.

        Raises:
            FormatError: it has none of these tags.
        """
        if self.tag not in tags:
            wanted = " or ".join(f"{tag:#04x}" for tag in tags)
            raise FormatError("unexpected ASN.1 tag", got=f"{self.tag:#04x} at offset {self.start:#x}", expected=wanted)
        return self

    def children(self, *, most: int | None = None) -> list[Element]:
        """The elements inside, in order.

        Raises:
            FormatError: it is primitive, or what is inside does not add up.
            LimitError: there are more than `most`.
        """
        if not self.tag & 0x20:
            raise FormatError("a primitive ASN.1 element stands where a structure belongs", got=f"offset {self.start:#x}")
        source, position, end, found = self.source, self.body, self.end, list[Element]()
        data, nodes_left, append = source.data, source.nodes_left, found.append
        while position < end:
            body = position + 2
            if (
                body <= end
                and (length := data[body - 1]) < 0x80
                and (stop := body + length) <= end
                and (tag := data[position]) & 0x1F != 0x1F
                and nodes_left > 0
            ):
                # What `read` does with nearly all elements, without the call: signatures are made of a hundred of these.
                nodes_left -= 1
                append(Element(source, tag, position, body, stop, stop))
                position = stop
            else:
                source.nodes_left = nodes_left
                child = source.read(position, end)
                append(child)
                position, nodes_left = child.stop, source.nodes_left
            if most is not None and len(found) > most:
                source.nodes_left = nodes_left
                raise LimitError("an ASN.1 structure has too many parts", got=f"more than {most} at offset {self.start:#x}")
        source.nodes_left = nodes_left
        return found

    def only(self, *tags: int) -> Element:
        """The one element inside, as for an explicit tag."""
        children = self.children(most=2)
        if len(children) != 1:
            raise FormatError("an ASN.1 wrapper does not hold exactly one element", got=f"offset {self.start:#x}")
        return children[0].expect(*tags) if tags else children[0]

    def fields(self, *tags: int) -> Fields:
        """A cursor over the elements inside, after checking this element's own tag (SEQUENCE unless told)."""
        if self.tag != SEQUENCE or tags:
            self.expect(*(tags or (SEQUENCE,)))
        return Fields(self.children())

    def oid(self) -> str:
        """An OBJECT IDENTIFIER, dotted."""
        return dotted(self.contents if self.tag == OID else self.expect(OID).contents)

    def integer(self) -> int:
        contents = self.expect(INTEGER).contents
        if not contents:
            raise FormatError("an ASN.1 INTEGER is empty")
        return int.from_bytes(contents, "big", signed=True)

    def boolean(self) -> bool:
        return any(self.expect(BOOLEAN).contents)

    def octets(self) -> bytes:
        """An OCTET STRING; in its BER form, the parts joined (one level, as all writers do it)."""
        if self.tag == OCTET_STRING | 0x20:
            self.source.not_der = True
            return b"".join(part.expect(OCTET_STRING).contents for part in self.children())
        return self.expect(OCTET_STRING).contents

    def bits(self) -> bytes:
        """A BIT STRING's octets. Bits that are said to be unused must be zero."""
        contents = self.expect(BIT_STRING).contents
        if not contents or contents[0] > 7 or (contents[0] and len(contents) == 1):
            raise FormatError("an ASN.1 BIT STRING is malformed", got=f"offset {self.start:#x}")
        return contents[1:]

    def time(self) -> datetime:
        return read_time(self.contents, generalized=self.expect(UTC_TIME, GENERALIZED_TIME).tag == GENERALIZED_TIME)


class Fields:
    """A cursor over the parts of a SEQUENCE."""

    __slots__ = ("_parts", "_position")

    def __init__(self, parts: list[Element]) -> None:
        self._parts = parts
        self._position = 0

    def take(self, *tags: int) -> Element:
        """The next part, which must exist and have one of the tags (any, where none is named)."""
        if self._position == len(self._parts):
            raise FormatError("an ASN.1 SEQUENCE ends too early")
        part = self._parts[self._position]
        self._position += 1
        return part if not tags or part.tag in tags else part.expect(*tags)

    def optional(self, *tags: int) -> Element | None:
        """The next part if it has one of the tags (any, where none is named)."""
        if self._position == len(self._parts) or (tags and self._parts[self._position].tag not in tags):
            return None
        self._position += 1
        return self._parts[self._position - 1]

    def finish(self) -> None:
        """Nothing may be left."""
        if self._position != len(self._parts):
            raise FormatError("an ASN.1 SEQUENCE has parts that do not belong there")


@lru_cache(maxsize=1024)
def dotted(contents: bytes) -> str:
    """Contents of an OBJECT IDENTIFIER as dotted numbers.

    Raises:
        FormatError: empty, cut off, padded, or absurdly long.
    """
    if not contents or contents[-1] & 0x80 or len(contents) > MAX_OID_OCTETS:
        raise FormatError("an ASN.1 OBJECT IDENTIFIER is malformed", got=contents[:16].hex())
    arcs: list[int] = []
    arc = 0
    for octet in contents:
        if arc == 0 and octet == 0x80:
            raise FormatError("an ASN.1 OBJECT IDENTIFIER is padded", got=contents[:16].hex())
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def read_time(text: bytes, *, generalized: bool) -> datetime:
    """UTCTime or GeneralizedTime, in UTC. Fractions are kept to microseconds; two-digit years pivot at 1950 (RFC 5280, 4.1.2.5.1).

    Raises:
        FormatError: not a time, or a local time without zone.
    """
    shown = text[:32].decode("ascii", "replace")
    fault = FormatError("an ASN.1 time is malformed", got=shown)
    digits = 14 if generalized else 12
    core, rest = text[:digits], text[digits:]
    if not generalized and len(text) in (11, 15) and text[10:11] in b"Z+-":  # old certificates leave the seconds out
        core, rest = text[:10] + b"00", text[10:]
    if not core.isdigit() or len(core) != digits:
        raise fault
    microsecond = 0
    if generalized and rest[:1] in (b".", b","):
        fraction = rest[1:].rstrip(b"Z")
        if not fraction.isdigit() or len(fraction) > 20:
            raise fault
        microsecond = int(fraction[:6].ljust(6, b"0"))
        rest = rest[1 + len(fraction) :]
    zone = timedelta()
    if len(rest) == 5 and rest[:1] in b"+-" and rest[1:].isdigit():
        zone = timedelta(hours=int(rest[1:3]), minutes=int(rest[3:])) * (-1 if rest[:1] == b"-" else 1)
    elif rest != b"Z":
        raise fault
    year = int(core[:4]) if generalized else int(core[:2]) + (1900 if core[:2] >= b"50" else 2000)
    parts = [int(core[at : at + 2]) for at in range(digits - 10, digits, 2)]
    try:
        return datetime(year, *parts, microsecond, tzinfo=UTC) - zone  # type: ignore[misc, arg-type]
    except (ValueError, OverflowError):
        raise fault from None
