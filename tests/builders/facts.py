"""Facts by keyword: a plain signed x64 DLL unless a keyword says otherwise."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from csv_gate.model.facts import (
    CertificateFacts,
    ChainEnd,
    ChainFacts,
    Digests,
    FactName,
    Facts,
    Gap,
    PageHashFacts,
    PeFacts,
    SignatureFacts,
    SignatureSource,
    TimestampFacts,
    TimestampKind,
    VersionFacts,
)
from csv_gate.model.problems import Problem, ProblemCode

CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
WHQL = "1.3.6.1.4.1.311.10.3.5"
WINDOWS_COMPONENT = "1.3.6.1.4.1.311.10.3.6"
LIFETIME = "1.3.6.1.4.1.311.10.3.13"
TBS_ALGORITHMS = ("md5", "sha1", "sha256", "sha384", "sha512")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def hex_digest(text: str, algorithm: str = "sha256") -> str:
    """A digest that stands for `text`."""
    return hashlib.new(algorithm, text.encode()).hexdigest()


def certificate(
    cn: str | None = "Contoso Ltd",
    *,
    issuer_cn: str | None = "Contoso CA",
    eku: Sequence[str] | None = (CODE_SIGNING,),
    own_hash: str | None = "sha256",
    key_algorithm: str = "rsa",
    key_bits: int | None = 3072,
    is_ca: bool | None = False,
    not_before: datetime = datetime(2024, 1, 1, tzinfo=UTC),
    not_after: datetime = datetime(2027, 1, 1, tzinfo=UTC),
    is_self_issued: bool = False,
    signature_algorithm: str | None = None,
    key_usage: bool | None = True,
    seed: str = "",
) -> CertificateFacts:
    name = f"{cn}|{issuer_cn}|{seed}"
    return CertificateFacts(
        subject=f"CN={cn}",
        subject_cn=cn,
        issuer=f"CN={issuer_cn}",
        issuer_cn=issuer_cn,
        serial="01",
        thumbprint_sha1=hex_digest(name, "sha1"),
        thumbprint_sha256=hex_digest(name),
        not_before=not_before,
        not_after=not_after,
        tbs={algorithm: tbs(cn, issuer_cn, algorithm, seed) for algorithm in TBS_ALGORITHMS},
        tbs_algorithm=own_hash,
        signature_algorithm=signature_algorithm or f"{own_hash}_{key_algorithm}",
        key_algorithm=key_algorithm,
        key_bits=key_bits,
        eku=None if eku is None else tuple(eku),
        key_usage_digital_signature=key_usage,
        is_ca=is_ca,
        is_self_issued=is_self_issued,
    )


def tbs(cn: str | None, issuer_cn: str | None, algorithm: str = "sha256", seed: str = "") -> str:
    """The TBS digest of `certificate(cn, issuer_cn=…)`."""
    return hex_digest(f"tbs|{cn}|{issuer_cn}|{seed}", algorithm)


def authority(cn: str = "Contoso CA", *, issuer_cn: str = "Contoso Root", **changes: object) -> CertificateFacts:
    return replace(certificate(cn, issuer_cn=issuer_cn, eku=None, is_ca=True), **changes)  # type: ignore[arg-type]


def chain(
    *certificates: CertificateFacts,
    end: ChainEnd = ChainEnd.INCOMPLETE,
    root: str | None = None,
    root_tbs: Mapping[str, str] | None = None,
) -> ChainFacts:
    """`root`: a well-known number; makes the end a known root."""
    return ChainFacts(
        certificates=certificates or (certificate(), authority()),
        end=ChainEnd.KNOWN_ROOT if root else end,
        well_known_root=root,
        root_tbs=dict(root_tbs or {}),
    )


def timestamp(
    time: datetime | None = datetime(2025, 1, 1, tzinfo=UTC), *, valid: bool = True, root: str | None = "06"
) -> TimestampFacts:
    """`root`: the well-known number of its chain's end; `None`: an authority that nobody knows."""
    service = certificate("Time Stamp Service", issuer_cn="Time Stamp CA", eku=(TIME_STAMPING,))
    links = chain(service, authority("Time Stamp CA", issuer_cn="Time Stamp Root"), root=root)
    return TimestampFacts(kind=TimestampKind.RFC3161, time=time, valid=valid, signer=service, chain=links)


def signature(
    leaf: CertificateFacts | None = None,
    *issuers: CertificateFacts,
    valid: bool = True,
    root: str | None = None,
    end: ChainEnd = ChainEnd.INCOMPLETE,
    root_tbs: Mapping[str, str] | None = None,
    digest_algorithm: str | None = "sha256",
    program_name: str | None = None,
    stamp: TimestampFacts | None = None,
    page_hashes: PageHashFacts | None = None,
    source: SignatureSource = SignatureSource.EMBEDDED,
    place: str = "0",
    chain_known: bool = True,
    problems: Sequence[ProblemCode] = (),
) -> SignatureFacts:
    """A good signature by Contoso below an issuing CA."""
    signer = leaf or certificate()
    links = chain(signer, *(issuers or (authority(signer.issuer_cn or "Contoso CA"),)), end=end, root=root, root_tbs=root_tbs)
    return SignatureFacts(
        source=source,
        place=place,
        digest_algorithm=digest_algorithm,
        signed_digest=hex_digest("image"),
        digest_matches=valid,
        valid=valid,
        problems=tuple(Problem(code=code, detail="seen in this test") for code in problems),
        program_name=program_name,
        signer=signer if chain_known else None,
        chain=links if chain_known else None,
        timestamp=stamp,
        page_hashes=page_hashes,
        catalog_sha256=hex_digest("catalog") if source is SignatureSource.CATALOG else None,
    )


def version(
    original_filename: str | None = "app.dll",
    *,
    internal_name: str | None = "app",
    file_description: str | None = "Contoso App",
    product_name: str | None = "Contoso Suite",
    file_version: tuple[int, int, int, int] | None = (5, 0, 0, 0),
) -> VersionFacts:
    return VersionFacts(
        original_filename=original_filename,
        internal_name=internal_name,
        file_description=file_description,
        product_name=product_name,
        file_version=file_version,
    )


def digests(**changes: str | None) -> Digests:
    return replace(
        Digests(
            sha256=hex_digest("flat"),
            authenticode_sha1=hex_digest("image", "sha1"),
            authenticode_sha256=hex_digest("image"),
            page_sha1=hex_digest("page", "sha1"),
            page_sha256=hex_digest("page"),
        ),
        **changes,  # type: ignore[arg-type]
    )


def pe(
    *,
    is_driver: bool = False,
    is_efi: bool = False,
    is_dll: bool | None = None,
    imports_kernel: bool | None = None,
    imports_read: bool = True,
) -> PeFacts:
    return PeFacts(
        machine="x64",
        is_dll=not (is_driver or is_efi) if is_dll is None else is_dll,
        is_driver=is_driver,
        is_dotnet=False,
        is_efi=is_efi,
        subsystem="native" if is_driver else "windows_gui",
        imports_kernel=None if not imports_read else is_driver if imports_kernel is None else imports_kernel,
    )


UNSET = version()


def facts(
    *signatures: SignatureFacts,
    format: str = "pe",
    taken: Digests | None = None,
    header: PeFacts | None = None,
    resource: VersionFacts | None = UNSET,
    gaps: Sequence[FactName] = (),
    problems: Sequence[Problem] = (),
) -> Facts:
    """Facts of one file; `gaps` names what is unknown (the values are taken out)."""
    missing = set(gaps)
    everything = FactName.CONTENT in missing
    names = resource
    if FactName.VERSION in missing or everything:
        names = None
    elif FactName.VERSION_NAMES in missing and resource is not None:
        names = VersionFacts(file_version=resource.file_version)
    values = taken or digests()
    if FactName.AUTHENTICODE in missing:
        values = replace(values, authenticode_sha1=None, authenticode_sha256=None, padded_authenticode_sha256=None)
    if FactName.PAGE_HASH in missing:
        values = replace(values, page_sha1=None, page_sha256=None)
    is_pe = format == "pe" and FactName.PE not in missing and not everything
    return Facts(
        format=format,
        size=4096,
        digests=None if everything or FactName.DIGESTS in missing else values,
        pe=(header or pe()) if is_pe else None,
        version=names,
        signatures=() if everything or FactName.SIGNATURES in missing else signatures,
        problems=tuple(problems),
        gaps=tuple(Gap(what=name, why="not readable in this test") for name in FactName if name in missing),
    )
