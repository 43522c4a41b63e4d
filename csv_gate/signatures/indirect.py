"""SpcIndirectData and SpcSpOpusInfo: what an Authenticode signature says about the file (Authenticode PE signature format, 2008).

`SpcIndirectData ::= SEQUENCE { data { type OID, value ANY }, messageDigest DigestInfo }`. For a PE image, the value may hold page hashes
in a serialized object. Readers are lenient about what is only descriptive and strict about what is compared.
"""

from __future__ import annotations

from typing import Final

from csv_gate.errors import FormatError
from csv_gate.limits import Limits
from csv_gate.records import dataclass
from csv_gate.signatures import oids
from csv_gate.signatures.der import BIT_STRING, INTEGER, OCTET_STRING, SEQUENCE, SET, Element, Source, context
from csv_gate.signatures.keys import read_digest_algorithm

PAGE_HASH_CLASS: Final = bytes.fromhex("a6b586d5b4a12466ae05a217da8e60d6")
"""Class id of the serialized object that holds page hashes."""
MAX_PAGE_HASH_TABLES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class IndirectData:
    """What was signed in place of the file."""

    data_type: str
    digest_algorithm: str | None
    digest: bytes
    value: Element | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpusInfo:
    program_name: str | None
    more_info: str | None


def read_indirect_data(content: Element) -> IndirectData:
    """Read the SpcIndirectData sequence.

    Raises:
        FormatError: it does not add up.
    """
    fields = content.fields()
    data, digest_info = fields.take(SEQUENCE).fields(), fields.take(SEQUENCE).fields()
    fields.finish()
    data_type, value = data.take().oid(), data.optional()
    data.finish()
    algorithm, digest = read_digest_algorithm(digest_info.take(SEQUENCE)), digest_info.take(OCTET_STRING).contents
    digest_info.finish()
    return IndirectData(data_type=data_type, digest_algorithm=algorithm, digest=digest, value=value)


def read_interface(indirect: IndirectData) -> bytes | None:
    """The subject interface (a GUID as it is stored) of an SpcSipInfo; `None` where the data is something else.

    `SpcSipInfo ::= SEQUENCE { version INTEGER, interface OCTET STRING, reserved INTEGER (5 times) }`.

    Raises:
        FormatError: it does not add up.
    """
    if indirect.data_type != oids.SPC_SIP_INFO or indirect.value is None:
        return None
    fields = indirect.value.expect(SEQUENCE).fields()
    fields.take(INTEGER)
    return fields.take(OCTET_STRING).contents


def read_page_hashes(indirect: IndirectData, source: Source) -> tuple[tuple[str, bytes], ...]:
    """The page-hash tables as (algorithm, octets), strongest digest first; empty where there are none.

    Raises:
        FormatError: the object that should hold them does not, or names an unknown kind.
    """
    if indirect.data_type != oids.SPC_PE_IMAGE_DATA or indirect.value is None or indirect.value.tag != SEQUENCE:
        return ()
    parts = indirect.value.fields()
    parts.optional(BIT_STRING)
    wrapper = parts.optional(context(0))
    if wrapper is None:
        return ()
    link = wrapper.only()
    if link.tag != context(1):  # SpcLink: a URL or a file name, no serialized object
        return ()
    serialized = link.fields(context(1))
    if serialized.take(OCTET_STRING).contents != PAGE_HASH_CLASS:
        raise FormatError("the serialized object of a PE signature is of an unknown class")
    octets = serialized.take(OCTET_STRING).contents
    inner = Source(octets, max_nodes=min(source.nodes_left, 1024))
    tables = []
    for entry in inner.root().expect(SET).children(most=MAX_PAGE_HASH_TABLES):
        fields = entry.fields()
        oid = fields.take().oid()
        if oid not in oids.PAGE_HASHES:
            raise FormatError("page hashes of an unknown kind", got=oid)
        tables.append((oids.PAGE_HASHES[oid], fields.take(SET).only(OCTET_STRING).contents))
    return tuple(sorted(tables, key=lambda table: table[0], reverse=True))


def read_opus(value: Element, limits: Limits) -> OpusInfo:
    """The publisher's own words on the file: signed, but unverified by anybody. Untrusted text.

    Raises:
        FormatError: it does not add up, or the text is too long.
    """
    fields = value.fields()
    name, more = fields.optional(context(0)), fields.optional(context(1))
    fields.finish()
    return OpusInfo(
        program_name=_spc_string(name.only(), limits) if name is not None and name.body < name.end else None,
        more_info=_spc_link(more.only(), limits) if more is not None and more.body < more.end else None,
    )


def _spc_string(choice: Element, limits: Limits) -> str:
    """SpcString: [0] UTF-16 big-endian, or [1] eight bits a character."""
    contents = choice.expect(context(0, constructed=False), context(1, constructed=False)).contents
    if len(contents) > 2 * limits.max_text_characters:
        raise FormatError("a string in a signature is too long", expected="limits.max_text_characters")
    encoding = "utf-16-be" if choice.tag == context(0, constructed=False) else "latin-1"
    return contents.decode(encoding, "replace")


def _spc_link(choice: Element, limits: Limits) -> str | None:
    """SpcLink: [0] a URL, [1] a moniker (not text), [2] a file name."""
    if choice.tag == context(0, constructed=False):
        if choice.end - choice.body > limits.max_text_characters:
            raise FormatError("a link in a signature is too long", expected="limits.max_text_characters")
        return choice.contents.decode("latin-1")
    if choice.tag == context(2):
        return _spc_string(choice.only(), limits)
    choice.expect(context(1))
    return None
