"""Facts: everything the bytes of an artifact say, as plain frozen values. No verdicts, no open files.

Each fact is *known*, *absent* (`None`, or an empty tuple, with no gap), or *unknown* (`None` with a `Gap` that names the fact
and says why). Every string that comes from the artifact is attacker-controlled and unescaped.
Digests are lower-case hex.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from csv_gate.model.problems import Problem
from csv_gate.records import dataclass, field

FACTS_VERSION = 4
"""Raised whenever an extractor starts to say something else about the same bytes; stored facts of another version are void."""


class FactName(StrEnum):
    """The facts that can be missing; the `what` of a gap."""

    CONTENT = "content"
    """The artifact could not be read at all."""
    DIGESTS = "digests"
    AUTHENTICODE = "digests.authenticode"
    PAGE_HASH = "digests.page"
    PE = "pe"
    VERSION = "version"
    VERSION_NAMES = "version.names"
    """The name strings are there but which of them Windows reads is not specified."""
    SIGNATURES = "signatures"
    CATALOGS = "catalogs"
    MEMBERS = "members"
    """The members of a container could not all be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A fact that could not be had, and why, for people."""

    what: FactName
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """Digests of one artifact; `None` where the format has no such digest."""

    sha256: str
    """Flat: every byte of the file."""
    sha1: str | None = None
    """Flat SHA-1, taken only where a rule may be compared with it (a script, an installer, a PE that Authenticode cannot lay out)."""
    authenticode_sha1: str | None = None
    """As the next; also `None` for a PE image in a run that compares nothing with it."""
    authenticode_sha256: str | None = None
    """By the signing rule of the file's own format: Authenticode of a PE, text of a script, streams of an installer package."""
    page_sha1: str | None = None
    """The first entry of a page-hash table: headers without what Authenticode omits, filled to a page with zeros (App Control docs,
    "Hash Page" rules of ConfigCI)."""
    page_sha256: str | None = None
    padded_authenticode_sha1: str | None = None
    """With zeros up to a multiple of 8, as a signer pads; set only for an unsigned file of odd length."""
    padded_authenticode_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeFacts:
    """Header facts of a PE image."""

    machine: str
    """`x86`, `x64`, `arm64`, … or the number as `0x1234`."""
    is_dll: bool
    is_driver: bool
    """Native subsystem and no user-mode import: kernel code as the loader sees it. A guess that the config can override."""
    is_dotnet: bool
    is_efi: bool
    subsystem: str
    """`native`, `windows_gui`, `windows_cui`, `efi_application`, … or the number."""
    imports_kernel: bool | None = None
    """Imports ntoskrnl.exe, hal.dll or another kernel-mode library; `None` where the import table was not readable."""
    force_integrity: bool = False
    overlay_bytes: int = 0
    """Bytes behind the last section that are not the certificate table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptFacts:
    """A script whose file type has a place for a signature."""

    encoding: str
    """`utf-8`, `utf-16-le`, `utf-16-be` or `windows-1252`: how the signature's digest reads the bytes."""
    has_bom: bool
    line_ends: str
    """`crlf`, `lf`, `mixed` or `none`."""
    signature_line: int | None = None
    """1-based line at which the signature block begins; `None`: there is no block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompoundFacts:
    """A compound file (OLE structured storage), as Windows Installer packages are."""

    streams: int
    has_metadata_digest: bool
    """The signature covers names, times and sizes of the streams too (`MsiDigitalSignatureEx`)."""
    appended_bytes: int = 0
    """Behind the last sector of the allocation table: covered by no digest."""
    unreachable_sectors: int = 0
    """Allocated to nothing and yet not zero: covered by no digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CabinetFacts:
    """Header facts of a cabinet file."""

    files: int
    folders: int
    reserve_bytes: int
    """Size of the header's reserved area; 20 where a signature can stand."""
    is_part: bool = False
    """One volume of several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleSignatureFacts:
    """The signature block behind a Linux kernel module. Its key is the target's: nothing is verified here."""

    is_well_formed: bool
    size: int
    """Bytes of the PKCS#7 message."""
    signer: str | None = None
    """Issuer and serial number that the message names; untrusted text."""
    digest_algorithm: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ElfFacts:
    """Header facts of an ELF file."""

    type: str
    """`executable`, `shared_object`, `relocatable`, `core` or the number."""
    machine: str
    bits: int
    build_id: str | None = None
    """Lower-case hex of the GNU build-id note."""
    interpreter: str | None = None
    module_signature: ModuleSignatureFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFacts:
    """The version resource as Windows' code integrity reads it (App Control docs, file rule levels FileName and FilePublisher)."""

    original_filename: str | None = None
    internal_name: str | None = None
    file_description: str | None = None
    product_name: str | None = None
    file_version: tuple[int, int, int, int] | None = None
    """From VS_FIXEDFILEINFO, never from the FileVersion string."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """One X.509 certificate."""

    subject: str
    """Distinguished name, RFC 4514 order and escapes."""
    subject_cn: str | None
    issuer: str
    issuer_cn: str | None
    serial: str
    """Lower-case hex without sign or leading zeros."""
    thumbprint_sha1: str
    thumbprint_sha256: str
    not_before: datetime
    not_after: datetime
    tbs: Mapping[str, str]
    """Digest algorithm name -> digest of the TBSCertificate. Holds at least sha1, sha256 and `tbs_algorithm`."""
    tbs_algorithm: str | None
    """The hash of the certificate's own signature, the one that a TBS rule is written with; `None` where it has none or is unknown."""
    signature_algorithm: str
    """Name such as `sha256_rsa`, or the dotted OID."""
    key_algorithm: str
    """`rsa`, `ec`, … or the dotted OID."""
    key_bits: int | None
    eku: tuple[str, ...] | None
    """Dotted OIDs in order; `None`: the certificate has no EKU extension."""
    key_usage_digital_signature: bool | None = None
    """`None`: no key-usage extension."""
    is_ca: bool | None = None
    """`None`: no basic constraints."""
    is_self_issued: bool = False


class ChainEnd(StrEnum):
    """How a chain ends."""

    KNOWN_ROOT = "known_root"
    """The top is, or is signed by, a root whose key this project knows."""
    SELF_SIGNED = "self_signed"
    """The top signs itself and is nobody that this project knows."""
    GIVEN_ROOT = "given_root"
    """The top is, or is signed by, a root that the user gave."""
    INCOMPLETE = "incomplete"
    """The issuer of the top certificate is not at hand; its name is the top's `issuer`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFacts:
    """A chain whose every link was verified with the issuer's key, leaf first."""

    certificates: tuple[CertificateFacts, ...]
    end: ChainEnd
    well_known_root: str | None = None
    """Two upper-case hex digits as in a policy's Wellknown value, where the end is a known root that has such a number."""
    root_tbs: Mapping[str, str] = field(default_factory=dict)
    """TBS digests of the known or given root where it is not itself among `certificates`."""
    root_sha256: str | None = None
    """Thumbprint of a given root where it is not itself among `certificates`."""


class TimestampKind(StrEnum):
    RFC3161 = "rfc3161"
    PKCS9 = "pkcs9"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampFacts:
    """A counter-signature over one signature."""

    kind: TimestampKind
    time: datetime | None
    valid: bool
    """It is bound to this signature, cryptographically right, its signer is a time-stamping certificate valid at `time`, and its
    chain links verify. Says nothing of the root's trust."""
    signer: CertificateFacts | None
    chain: ChainFacts | None
    digest_algorithm: str | None = None
    problems: tuple[Problem, ...] = ()


class SignatureSource(StrEnum):
    EMBEDDED = "embedded"
    NESTED = "nested"
    APPENDED = "appended"
    DETACHED = "detached"
    CATALOG = "catalog"


class SignatureScheme(StrEnum):
    """By whose rules a signature was made and is verified. App Control knows `authenticode` alone."""

    AUTHENTICODE = "authenticode"
    APPX = "appx"
    NUGET = "nuget"
    OPC = "opc"
    JAR = "jar"
    APK = "apk"
    XAP = "xap"
    CLICKONCE = "clickonce"
    RPM = "rpm"
    DEB = "deb"
    OPENPGP = "openpgp"
    CMS = "cms"
    SIGSTORE = "sigstore"
    IMA = "ima"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """The key of a signer that has no X.509 certificate."""

    key_id: str
    """As the signature names it: lower-case hex of an OpenPGP key ID or fingerprint, or of the SHA-256 of a public key."""
    is_given: bool
    """It is among the keys that the user gave. Of a key that is not, nothing below is known and nothing can be verified."""
    fingerprint: str | None = None
    """Of the primary key, lower-case hex."""
    algorithm: str | None = None
    bits: int | None = None
    user_ids: tuple[str, ...] = ()
    """As the given key says of itself, or the identities in a sigstore certificate."""
    identity_issuer: str | None = None
    """Who vouches for the identities of a sigstore certificate: the OpenID Connect issuer (Fulcio, OID 1.3.6.1.4.1.57264.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageHashFacts:
    """The page-hash table inside a signature."""

    algorithm: str
    matches: bool
    """Every page of the file hashes to its entry, and the table covers the whole file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureFacts:
    """One signature over the artifact, judged on its own: no policy and no trust list is in here."""

    source: SignatureSource
    place: str
    """Where it stands: `0` first table entry, `0.1` second nested signature of it, or a catalog's path."""
    digest_algorithm: str | None
    signed_digest: str | None
    """The artifact digest that the signature vouches for."""
    digest_matches: bool | None
    """`None`: could not be compared."""
    valid: bool
    """Structure sound, signature cryptographically right under the signer's key, digest (and page hashes) match. Not a statement of
    trust, of certificate dates or of the time stamp."""
    problems: tuple[Problem, ...] = ()
    program_name: str | None = None
    """SpcSpOpusInfo.programName: what CertOemID rules compare."""
    more_info: str | None = None
    signer: CertificateFacts | None = None
    chain: ChainFacts | None = None
    timestamp: TimestampFacts | None = None
    """The counter-signature that counts: the first valid one, else the first."""
    page_hashes: PageHashFacts | None = None
    catalog_sha256: str | None = None
    """Of the catalog file that lists the artifact."""
    scheme: SignatureScheme = SignatureScheme.AUTHENTICODE
    role: str | None = None
    """What the signer signs as, where the scheme tells: `author`, `repository`, `origin`, `builder`, `header`, `maintainer`, …"""
    key: KeyFacts | None = None
    """The signer, where it has no certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFacts:
    """What a package says of itself, and how far its signatures reach. Untrusted text unless a signature that covers it is valid."""

    name: str | None = None
    version: str | None = None
    publisher: str | None = None
    architecture: str | None = None
    family_name: str | None = None
    """Of a packaged app: name, underscore, hash of the publisher."""
    digests_match: bool | None = None
    """Every digest that the package states of its own parts is right, signed or not; `None`: it states none."""
    uncovered: tuple[str, ...] = ()
    """The first members that no signature of the package reaches, in the package's order."""
    uncovered_count: int = 0
    """How many there are in all; of a package without a signature: none are counted."""
    file_signatures: int = 0
    """Files of the package that carry an IMA signature of their own in it; they are the target's kernel's to verify."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All facts of one artifact."""

    format: str
    """`pe`, `catalog`, `msi`, `text`, `unknown`, … what the bytes are. Of plain text, which says nothing of itself, the file name's
    extension tells which host would run it: `powershell`, `vbscript`, `batch`, …"""
    size: int
    digests: Digests | None
    pe: PeFacts | None = None
    script: ScriptFacts | None = None
    compound: CompoundFacts | None = None
    cabinet: CabinetFacts | None = None
    elf: ElfFacts | None = None
    package: PackageFacts | None = None
    version: VersionFacts | None = None
    signatures: tuple[SignatureFacts, ...] = ()
    catalog_members: int | None = None
    """Of a security catalog: how many files it lists."""
    problems: tuple[Problem, ...] = ()
    """Anomalies of the file itself (layout, overlay, certificate table)."""
    gaps: tuple[Gap, ...] = ()

    def gap(self, *names: FactName) -> Gap | None:
        """The first gap under one of these names; `content` stands for every fact."""
        for gap in self.gaps:
            if gap.what is FactName.CONTENT or gap.what in names:
                return gap
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One file of the build output, or one member of a container in it (`out/setup.msi!/Files.cab!/app.dll`)."""

    path: str
    """As found, with `/` between folders. Attacker-controlled; may hold surrogate escapes."""
    facts: Facts
