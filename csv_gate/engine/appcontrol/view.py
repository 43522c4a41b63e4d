"""One artifact as the rules look at it: names, version, hashes and signatures prepared once per evaluation."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from operator import attrgetter

from csv_gate.engine.appcontrol.names import wide_key
from csv_gate.engine.appcontrol.truth import FALSE, OPEN, TRUE, Truth
from csv_gate.model.appcontrol import version_number
from csv_gate.model.context import AppControlContext
from csv_gate.model.facts import Digests, FactName, Facts, SignatureFacts, SignatureScheme, VersionFacts
from csv_gate.model.problems import ProblemCode
from csv_gate.records import dataclass
from csv_gate.records.rows import NamedTuple

NAME_LABELS = ("OriginalFilename", "InternalName", "FileDescription", "ProductName")
"""The name attributes of a file rule, in the order in which they are numbered here; the first is the resource's, never the name on
disk."""


class HashKind(IntEnum):
    """Which digest of the artifact a hash rule was compared with; the smaller is the better evidence."""

    IMAGE = 0
    """The digest that App Control takes of this file: Authenticode, or flat where Authenticode cannot lay the file out."""
    PAGE = 1
    """Of the first page."""
    PADDED = 2
    """Authenticode with the padding of a signer, for an unsigned file of odd length."""
    DOUBTFUL = 3
    """An Authenticode digest of a file that Authenticode cannot lay out, or the flat one of a file that it can."""
    FLAT = 4
    """Of a script or installer: of all its bytes, beside the digest of its format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One digest a hash rule may hold."""

    kind: HashKind
    algorithm: str
    label: str
    listed: str
    """Why a rule that holds it decides."""


def _pair(kind: HashKind, label: str) -> tuple[Candidate, Candidate]:
    """By SHA-256 and by SHA-1."""
    return (_candidate(kind, "sha256", f"{label} SHA-256"), _candidate(kind, "sha1", f"{label} SHA-1"))


def _candidate(kind: HashKind, algorithm: str, label: str) -> Candidate:
    return Candidate(kind=kind, algorithm=algorithm, label=label, listed=f"its {label} hash is listed")


_IMAGES = {
    False: _pair(HashKind.IMAGE, "Authenticode"),
    True: _pair(HashKind.DOUBTFUL, "Authenticode"),
}
"""By whether the file is one that Authenticode cannot lay out."""
_FLATS = {False: _pair(HashKind.DOUBTFUL, "flat"), True: _pair(HashKind.IMAGE, "flat")}
"""By whether the flat digest is the one of the image."""
_PAGES = _pair(HashKind.PAGE, "first page")
_PADDED = _pair(HashKind.PADDED, "padded Authenticode")
TAKEN: Callable[[Digests], tuple[str | None, ...]] = attrgetter(
    "authenticode_sha256",
    "authenticode_sha1",
    "page_sha256",
    "page_sha1",
    "padded_authenticode_sha256",
    "padded_authenticode_sha1",
    "sha256",
    "sha1",
)
_CANDIDATES = {
    (breaks_layout, is_flat): (*_IMAGES[breaks_layout], *_PAGES, *_PADDED, *_FLATS[is_flat])
    for breaks_layout in (False, True)
    for is_flat in (False, True)
}
"""What each of those digests stands for, by whether Authenticode cannot lay the file out, and whether the flat one is the image's."""
_HOSTED = (_pair(HashKind.IMAGE, "signing"), _pair(HashKind.FLAT, "flat"))
"""Of a script or installer: by the digest of its format, and of all its bytes."""


class ArtifactView(NamedTuple):
    """Facts and context, indexed for the rules. `kernel` says which scenario judges."""

    facts: Facts
    context: AppControlContext
    kernel: bool
    host: str | None
    """The script host or installer that asks the policy, where it is not the loader of the kernel."""
    names_gap: str | None
    version_gap: str | None
    hashes: dict[str, Candidate]
    """By lower-case hex."""
    unknown_hashes: dict[int, str]
    """Digest length in bytes -> why one of that length is not known."""
    signatures_gap: str | None
    """Why more signatures may exist than are known."""
    embedded_gap: str | None
    """Why Windows may find other embedded signatures than these."""
    signatures: tuple[SignatureFacts, ...]

    # What few rules ask for is read when one does.

    def name(self, field: int) -> str | None:
        """A name of the version resource, by its number."""
        resource = self.facts.version
        return None if resource is None else _NAMES[field](resource)

    def name_key(self, field: int) -> str | None:
        """The wide key of a name, where the file has it and it is not empty."""
        return name_key(self.facts.version, field)

    @property
    def version(self) -> int | None:
        """Packed; of a resource that could not be read whole: none."""
        resource = self.facts.version
        if resource is None or resource.file_version is None or self.version_gap is not None:
            return None
        return version_number(resource.file_version)

    @property
    def odd_length(self) -> bool:
        digests = self.facts.digests
        return bool(digests and (digests.padded_authenticode_sha1 or digests.padded_authenticode_sha256))

    @property
    def page_tables(self) -> list[tuple[str, bool]]:
        """(algorithm, verifies whole in a valid signature) of each page-hash table that a signature carries."""
        return [
            (signature.page_hashes.algorithm, signature.valid and signature.page_hashes.matches)
            for signature in self.signatures
            if signature.page_hashes is not None
        ]


_AUTHENTICODE = SignatureScheme.AUTHENTICODE
_NAMES: tuple[Callable[[VersionFacts], str | None], ...] = (
    attrgetter("original_filename"),
    attrgetter("internal_name"),
    attrgetter("file_description"),
    attrgetter("product_name"),
)
"""In the order of `NAME_LABELS`."""


def name_key(resource: VersionFacts | None, field: int) -> str | None:
    """By what rules find a name, given by its number; `None`: the file has none, or an empty one."""
    name = None if resource is None else _NAMES[field](resource)
    return wide_key(name) if name else None


def view_artifact(
    facts: Facts,
    context: AppControlContext,
    *,
    kernel: bool,
    host: str | None = None,
    scheme: SignatureScheme = _AUTHENTICODE,
) -> ArtifactView:
    """Prepare the facts for one scenario, as the loader or a host sees them, with the signatures of the scheme that it knows."""
    version_gap = names_gap = embedded_gap = signature_gap = None
    if facts.gaps:
        version_gap = facts.gap(FactName.VERSION)
        names_gap = facts.gap(FactName.VERSION, FactName.VERSION_NAMES)
        embedded_gap = facts.gap(FactName.SIGNATURES)
        signature_gap = facts.gap(FactName.SIGNATURES, FactName.CATALOGS)
    signatures = tuple([one for one in facts.signatures if one.scheme is scheme]) if facts.signatures else ()
    hashes, unknown_hashes = _hashes(facts) if host is None else _hosted_hashes(facts)
    return ArtifactView(
        facts=facts,
        context=context,
        kernel=kernel,
        host=host,
        names_gap=names_gap.why if names_gap else None,
        version_gap=version_gap.why if version_gap else None,
        hashes=hashes,
        unknown_hashes=unknown_hashes,
        signatures_gap=signature_gap.why if signature_gap else None,
        embedded_gap=embedded_gap.why if embedded_gap else None,
        signatures=signatures,
    )


def _hashes(facts: Facts) -> tuple[dict[str, Candidate], dict[int, str]]:
    digests = facts.digests
    gap = facts.gap(FactName.DIGESTS) if facts.gaps else None
    if gap is not None or digests is None:
        why = gap.why if gap else "its digests were not taken"
        return {}, {20: why, 32: why}
    image_gap = facts.gap(FactName.AUTHENTICODE) if facts.gaps else None
    page_gap = facts.gap(FactName.PAGE_HASH) if facts.gaps else None
    has_image = bool(digests.authenticode_sha1 or digests.authenticode_sha256)
    breaks_layout = bool(facts.problems) and any(
        problem.code is ProblemCode.PE_NOT_AUTHENTICODE_LAYOUT for problem in facts.problems
    )
    is_flat = breaks_layout or (not has_image and image_gap is None)
    found: dict[str, Candidate] = {}
    missing: dict[int, str] = {}

    for text, candidate in zip(TAKEN(digests), _CANDIDATES[breaks_layout, is_flat], strict=True):
        if text:
            found.setdefault(text, candidate)
    for size, own, page in (
        (20, digests.authenticode_sha1, digests.page_sha1),
        (32, digests.authenticode_sha256, digests.page_sha256),
    ):
        if own is None and (image_gap is not None or (has_image and not breaks_layout)):
            missing[size] = image_gap.why if image_gap else "its Authenticode digest was not taken"
        elif page is None and (page_gap is not None or digests.page_sha1 or digests.page_sha256):
            missing[size] = page_gap.why if page_gap else "its page hash was not taken"
        elif size == 20 and is_flat and digests.sha1 is None:
            missing[size] = "its flat SHA-1 was not taken"
    return found, missing


def _hosted_hashes(facts: Facts) -> tuple[dict[str, Candidate], dict[int, str]]:
    """A host's event log shows two digests of a file; which of them hash rules are compared with is published for no kind of script."""
    digests = facts.digests
    gap = facts.gap(FactName.DIGESTS, FactName.AUTHENTICODE)
    if digests is None:
        why = gap.why if gap else "its digests were not taken"
        return {}, {20: why, 32: why}
    found: dict[str, Candidate] = {}
    missing: dict[int, str] = {}
    for at, size, own, flat in (
        (0, 32, digests.authenticode_sha256, digests.sha256),
        (1, 20, digests.authenticode_sha1, digests.sha1),
    ):
        for value, label, candidates in ((own, "signing", _HOSTED[0]), (flat, "flat", _HOSTED[1])):
            if value is not None:
                found.setdefault(value, candidates[at])
            else:
                missing[size] = gap.why if gap else f"its {label} {candidates[at].algorithm} was not taken"
    return found, missing


def option_truth(*present: bool) -> Truth:
    """An option that base and supplemental may each set: both is yes, one is unknown."""
    return TRUE if all(present) else OPEN if any(present) else FALSE
