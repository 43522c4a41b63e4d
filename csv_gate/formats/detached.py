"""Detached signatures: files that stand beside another one by their name and sign it.

What a side file is, its content tells: CMS in DER, BER or PEM (RFC 5652; `.p7s`, and `.p7m` with the content inside), OpenPGP packets or
armor (RFC 9580), a sigstore bundle, or the signature that Linux' IMA keeps in `security.ima` (`evmctl ima_sign --sigfile`). Its name
only says which file it is for. A certificate list without signers (`.p7b`) signs nothing.

Nothing here is content-addressed: the same file has other signatures where other files lie beside it, so these are added to facts
after those came from the bytes or from a store.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from mmap import mmap
from typing import Final, Protocol

from csv_gate.errors import ArtifactError, FormatError
from csv_gate.formats.detached_cms import has_signers, read_detached_cms
from csv_gate.formats.ima import is_ima, read_ima
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.formats.sigstore_bundle import read_sigstore
from csv_gate.lazy import regex
from csv_gate.limits import Limits
from csv_gate.model.facts import Facts, SignatureFacts, SignatureScheme, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import replace
from csv_gate.signatures.openpgp import (
    Sink,
    is_armored,
    is_clear_signed,
    key_ring,
    read_clear_signed,
    read_openpgp_signatures,
)

_CMS_NAMES: Final = (".p7s", ".p7m")
"""What has such a name is read as CMS whatever it holds, so that a damaged one is told."""
_PEM: Final = regex(rb"-----BEGIN (PKCS7|CMS|PKCS #7 SIGNED DATA)-----\s+([A-Za-z0-9+/=\s]+)-----END \1-----")
_BUNDLE: Final = regex(rb"\A\s*\{[\s\S]{0,65536}?application/vnd\.dev\.sigstore\.bundle")
_SIGNATURE_TAG: Final = 2
_CHUNK: Final = 1 << 20


class SideFile(Protocol):
    """A file beside the artifact, named as it with one more ending."""

    @property
    def name(self) -> str:
        """Its file name, without folders. Attacker-controlled."""
        ...

    def read(self, most: int) -> bytes:
        """Its bytes.

        Raises:
            ArtifactError: it cannot be read, or has more than `most` bytes.
        """
        ...


def with_detached(
    facts: Facts, content: bytes | mmap | memoryview, beside: Sequence[SideFile], settings: ExtractionSettings
) -> Facts:
    """Facts with the signatures that stand beside the artifact. `content` are the artifact's bytes, of which `facts` are.

    Never raises for what the side files hold or are.
    """
    limits = settings.limits
    signatures: list[SignatureFacts] = []
    problems: list[Problem] = []
    with memoryview(content) as view:
        for side in beside[: limits.max_detached_files]:
            try:
                octets = side.read(limits.max_detached_bytes)
                found = _signatures(octets, side.name, view, settings)
            except ArtifactError as error:
                problems.append(_problem(ProblemCode.DETACHED_UNREADABLE, f"{side.name}: {error}"))
                continue
            signatures += found
    if len(beside) > limits.max_detached_files:
        detail = f"{len(beside)} files with signatures, more than max_detached_files ({limits.max_detached_files})"
        problems.append(_problem(ProblemCode.DETACHED_UNREADABLE, detail))
    return replace(facts, signatures=(*facts.signatures, *signatures), problems=(*facts.problems, *problems))


def needs_its_file(octets: bytes, name: str, limits: Limits) -> bool:
    """Whether a side file is a signature that means nothing without the file that it is for. `octets` may be anything at all."""
    try:
        kind = kind_of(octets, name, limits)
        if kind is SignatureScheme.CMS:
            return has_signers(_cms_octets(octets), limits, is_detached=True)
    except ArtifactError:
        return False
    return kind is not None and not is_clear_signed(octets)


def kind_of(octets: bytes, name: str, limits: Limits) -> SignatureScheme | None:
    """Which kind of signature a side file is by its content; `None`: none, such as a public key or a list of certificates.

    Raises:
        FormatError: its content says nothing that is known here.
    """
    if name.lower().endswith(_CMS_NAMES):
        return SignatureScheme.CMS
    if is_ima(octets):
        return SignatureScheme.IMA
    if _BUNDLE.match(octets[: 1 << 17]) or name.lower().endswith((".sigstore", ".sigstore.json")):
        return SignatureScheme.SIGSTORE
    if octets[:1] == b"\x30" or _PEM.search(octets[: 1 << 16]):
        return SignatureScheme.CMS if has_signers(_cms_octets(octets), limits) else None
    if is_clear_signed(octets) or b"-----BEGIN PGP SIGNATURE-----" in octets[: 1 << 16] or _is_signature_packet(octets):
        return SignatureScheme.OPENPGP
    if is_armored(octets) and b"-----BEGIN PGP " in octets[: 1 << 16]:
        return None
    if name.lower().endswith(".asc"):
        return SignatureScheme.OPENPGP
    raise FormatError("this is no signature of a kind that is known")


def _signatures(octets: bytes, name: str, content: memoryview, settings: ExtractionSettings) -> tuple[SignatureFacts, ...]:
    """Raises ArtifactError where the side file is nothing that is known."""
    kind = kind_of(octets, name, settings.limits)
    if kind is SignatureScheme.CMS:
        return read_detached_cms(_cms_octets(octets), content, place=name, roots=settings.roots, limits=settings.limits)
    if kind is SignatureScheme.IMA:
        return (read_ima(octets, place=name),)
    if kind is SignatureScheme.OPENPGP:
        return _openpgp(octets, name, content, settings)
    if kind is SignatureScheme.SIGSTORE:
        return (read_sigstore(octets, content, place=name, root=settings.sigstore_root),)
    return ()


def _openpgp(octets: bytes, name: str, content: memoryview, settings: ExtractionSettings) -> tuple[SignatureFacts, ...]:
    if is_clear_signed(octets):
        return _clear_signed(octets, name, content, settings)

    def feed(sink: Sink) -> None:
        for at in range(0, len(content), _CHUNK):
            sink.update(content[at : at + _CHUNK])

    return read_openpgp_signatures(
        octets,
        feed,
        keys=key_ring(settings.openpgp_keys),
        scheme=SignatureScheme.OPENPGP,
        source=SignatureSource.DETACHED,
        place=name,
        role=None,
        limits=settings.limits,
    )


def _clear_signed(octets: bytes, name: str, content: memoryview, settings: ExtractionSettings) -> tuple[SignatureFacts, ...]:
    """A clear-signed text beside a file signs that file where the file is the very text, but for what the framework leaves open."""
    text, signatures = read_clear_signed(
        octets,
        keys=key_ring(settings.openpgp_keys),
        scheme=SignatureScheme.OPENPGP,
        source=SignatureSource.DETACHED,
        place=name,
        role=None,
        limits=settings.limits,
    )
    if len(content) <= 2 * len(octets) and _plain(bytes(content)) == _plain(text):
        return signatures
    other = _problem(ProblemCode.DIGEST_MISMATCH, "the signed text is not that of the file")
    return tuple(replace(one, valid=False, digest_matches=False, problems=(*one.problems, other)) for one in signatures)


def _plain(text: bytes) -> bytes:
    """Text as a clear signature sees it: without white space at the ends of lines, and without the last line end."""
    lines = [line.rstrip(b" \t\r") for line in text.split(b"\n")]
    return b"\n".join(lines[:-1] if lines and not lines[-1] else lines)


def _is_signature_packet(octets: bytes) -> bool:
    """Whether binary octets begin as an OpenPGP signature packet does (RFC 9580, section 4.2), with a version that exists."""
    if len(octets) < 4 or not octets[0] & 0x80:
        return False
    if octets[0] & 0x40:
        tag, length = octets[0] & 0x3F, octets[1]
        at = 2 if length < 192 else 3 if length < 224 else 6
    else:
        tag, at = (octets[0] >> 2) & 0x0F, (2, 3, 5, 1)[octets[0] & 3]
    return tag == _SIGNATURE_TAG and octets[at : at + 1] in (b"\x03", b"\x04", b"\x06")


def _cms_octets(octets: bytes) -> bytes:
    """The DER or BER of a CMS message that may be in PEM. Raises FormatError for broken PEM."""
    if octets[:1] == b"\x30":
        return octets
    found = _PEM.search(octets)
    if found is None:
        return octets
    try:
        return base64.b64decode(b"".join(found[2].split()), validate=True)
    except binascii.Error as error:
        raise FormatError("the PEM cannot be decoded") from error


def _problem(code: ProblemCode, detail: str) -> Problem:
    return Problem(code=code, detail=detail)
