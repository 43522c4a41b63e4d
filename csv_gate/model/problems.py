"""Problem codes: anomalies that extractors find. Each structural anomaly has a code of its own, stable across versions."""

from __future__ import annotations

from enum import StrEnum

from csv_gate.records import dataclass


class ProblemCode(StrEnum):
    """Stable codes; the comment says what was seen. See docs for what each does to a signature's validity."""

    # PE layout ("PE Format", Microsoft Learn)
    PE_TRUNCATED = "pe-truncated"
    PE_HEADER_INVALID = "pe-header-invalid"
    PE_CHECKSUM_WRONG = "pe-checksum-wrong"
    PE_DIRECTORY_COUNT_LOW = "pe-directory-count-low"
    PE_SECTIONS_OVERLAP_HEADERS = "pe-sections-overlap-headers"
    PE_OVERLAY = "pe-overlay"
    PE_OVERLAY_POLYGLOT = "pe-overlay-polyglot"
    PE_NOT_AUTHENTICODE_LAYOUT = "pe-not-authenticode-layout"
    PE_LENGTH_NOT_ALIGNED = "pe-length-not-aligned"
    PE_DOS_HEADER_OVERLAP = "pe-dos-header-overlap"
    PE_SECTIONS_OVERLAP = "pe-sections-overlap"
    PE_SECTIONS_TOO_MANY = "pe-sections-too-many"
    PE_HEADERS_SIZE_WRONG = "pe-headers-size-wrong"

    # Certificate table
    TABLE_MISSING = "table-missing"
    TABLE_LEFT_OVER = "table-left-over"
    TABLE_PAST_END = "table-past-end"
    TABLE_IN_HEADERS = "table-in-headers"
    TABLE_IN_SECTIONS = "table-in-sections"
    TABLE_NOT_ALIGNED = "table-not-aligned"
    TABLE_SIZE_MISMATCH = "table-size-mismatch"
    TABLE_NOT_LAST = "table-not-last"
    TABLE_TOO_LARGE = "table-too-large"
    ENTRY_LENGTH_INVALID = "entry-length-invalid"
    ENTRY_REVISION_UNKNOWN = "entry-revision-unknown"
    ENTRY_TYPE_UNKNOWN = "entry-type-unknown"
    ENTRY_TRAILING_DATA = "entry-trailing-data"
    ENTRY_PADDING_NOT_ZERO = "entry-padding-not-zero"
    ENTRIES_SEVERAL = "entries-several"

    # CMS structure (RFC 5652, Authenticode PE signature format)
    CMS_MALFORMED = "cms-malformed"
    CMS_NOT_AUTHENTICODE = "cms-not-authenticode"
    CMS_SIGNER_COUNT = "cms-signer-count"
    CMS_NO_CERTIFICATES = "cms-no-certificates"
    CMS_SIGNER_CERTIFICATE_MISSING = "cms-signer-certificate-missing"
    CMS_SIGNER_VERSION = "cms-signer-version"
    CMS_NO_SIGNED_ATTRIBUTES = "cms-no-signed-attributes"
    CMS_CONTENT_TYPE_MISSING = "cms-content-type-missing"
    CMS_CONTENT_TYPE_WRONG = "cms-content-type-wrong"
    CMS_MESSAGE_DIGEST_MISSING = "cms-message-digest-missing"
    CMS_MESSAGE_DIGEST_WRONG = "cms-message-digest-wrong"
    CMS_ATTRIBUTE_REPEATED = "cms-attribute-repeated"
    CMS_DIGEST_ALGORITHM_MISMATCH = "cms-digest-algorithm-mismatch"
    CMS_ALGORITHM_UNKNOWN = "cms-algorithm-unknown"
    CMS_SIGNATURE_WRONG = "cms-signature-wrong"
    CMS_UNSIGNED_ATTRIBUTE_UNKNOWN = "cms-unsigned-attribute-unknown"
    CMS_UNSIGNED_ATTRIBUTE_LARGE = "cms-unsigned-attribute-large"
    CMS_DATA_TYPE_UNUSUAL = "cms-data-type-unusual"
    CMS_OTHER_SUBJECT = "cms-other-subject"
    """The signature was made for another file type."""
    CMS_CERTIFICATE_MALFORMED = "cms-certificate-malformed"
    CMS_NOT_DER = "cms-not-der"
    NESTED_TOO_MANY = "nested-too-many"
    NESTED_MALFORMED = "nested-malformed"
    NESTED_DEEP = "nested-deep"
    """Nested in a nested signature: whether the target looks there is not specified."""

    # Content
    DIGEST_MISMATCH = "digest-mismatch"
    PAGE_HASH_MISMATCH = "page-hash-mismatch"
    PAGE_HASH_MALFORMED = "page-hash-malformed"

    # Chain
    CHAIN_LINK_INVALID = "chain-link-invalid"
    CHAIN_INCOMPLETE = "chain-incomplete"
    CHAIN_TOO_LONG = "chain-too-long"
    CHAIN_AMBIGUOUS = "chain-ambiguous"
    """Several different chains verify; the target may choose another than the one that is told."""
    CHAIN_ISSUER_NOT_CA = "chain-issuer-not-ca"
    CHAIN_SIGNER_IS_ROOT = "chain-self-signed-signer"
    EKU_NO_CODE_SIGNING = "eku-no-code-signing"
    EKU_MISSING = "eku-missing"
    EKU_LIFETIME_SIGNING = "eku-lifetime-signing"
    KEY_USAGE_NO_SIGNATURE = "key-usage-no-signature"
    CURVE_NOT_NAMED = "curve-not-named"

    # Strength
    WEAK_DIGEST = "weak-digest"
    WEAK_KEY = "weak-key"
    WEAK_CHAIN_DIGEST = "weak-chain-digest"

    # Time stamps (RFC 3161, PKCS #9 counter-signatures)
    TIMESTAMP_MALFORMED = "timestamp-malformed"
    TIMESTAMP_OTHER_SIGNATURE = "timestamp-other-signature"
    TIMESTAMP_SIGNATURE_WRONG = "timestamp-signature-wrong"
    TIMESTAMP_SIGNER_MISSING = "timestamp-signer-missing"
    TIMESTAMP_SIGNER_EKU = "timestamp-signer-eku"
    TIMESTAMP_SIGNER_EXPIRED = "timestamp-signer-expired"
    TIMESTAMP_CERTIFICATE_NOT_BOUND = "timestamp-certificate-not-bound"
    TIMESTAMP_OUTSIDE_VALIDITY = "timestamp-outside-validity"
    TIMESTAMP_RAW_DIGEST = "timestamp-raw-digest"
    TIMESTAMP_CHAIN_INVALID = "timestamp-chain-invalid"
    TIMESTAMPS_SEVERAL = "timestamps-several"

    # Version resource
    VERSION_MALFORMED = "version-malformed"
    VERSION_LANGUAGE_UNSPECIFIED = "version-language-unspecified"

    # Catalogs (certificate trust lists)
    CATALOG_MALFORMED = "catalog-malformed"
    CATALOG_MEMBER_MALFORMED = "catalog-member-malformed"
    CATALOG_FLAT_DIGEST = "catalog-flat-digest"
    """A catalog lists a program by the digest of the whole file, by which Windows does not look programs up."""

    # Scripts ("about_Signing", PowerShell docs; Windows Script Host signatures)
    SCRIPT_BLOCK_MALFORMED = "script-block-malformed"
    SCRIPT_BLOCKS_SEVERAL = "script-blocks-several"
    SCRIPT_BLOCK_FOREIGN = "script-block-foreign"
    """A block in the comment style of another file type, which this type's host does not look for."""
    SCRIPT_MARKER_INNER = "script-marker-inner"
    """The words of a marker that are not a line of their own at column 0: no signature stands there."""
    SCRIPT_TEXT_AFTER_BLOCK = "script-text-after-block"
    SCRIPT_LINE_ENDS = "script-line-ends"
    SCRIPT_ENCODING = "script-encoding"

    # Compound files ([MS-CFB]) and cabinets ([MS-CAB])
    COMPOUND_MALFORMED = "compound-malformed"
    COMPOUND_APPENDED_DATA = "compound-appended-data"
    COMPOUND_UNREACHABLE_SECTORS = "compound-unreachable-sectors"
    COMPOUND_METADATA_UNSIGNED = "compound-metadata-unsigned"
    COMPOUND_METADATA_WRONG = "compound-metadata-wrong"
    CABINET_MALFORMED = "cabinet-malformed"
    CABINET_RESERVE = "cabinet-reserve"
    CABINET_TRAILING_DATA = "cabinet-trailing-data"
    CABINET_PART = "cabinet-part"

    # ELF (System V ABI) and signatures appended to Linux kernel modules
    ELF_MALFORMED = "elf-malformed"
    MODULE_SIGNATURE_MALFORMED = "module-signature-malformed"
    MODULE_SIGNATURE_NOT_LAST = "module-signature-not-last"
    MODULE_SIGNATURES_SEVERAL = "module-signatures-several"
    # Containers (archives, packages, installers)
    MEMBER_NAME_REPEATED = "member-name-repeated"
    MEMBER_NAMES_COLLIDE = "member-names-collide"
    """They differ in letter case alone."""
    MEMBER_NAME_HOSTILE = "member-name-hostile"
    CONTAINER_PREFIX = "container-prefix"
    CONTAINER_TRAILING_DATA = "container-trailing-data"
    CONTAINER_UNLISTED_DATA = "container-unlisted-data"
    CONTAINER_INCONSISTENT = "container-inconsistent"
    """Two records of the container contradict each other, so that two readers may see different members."""
    CONTAINER_MEMBERS_OVERLAP = "container-members-overlap"
    CONTAINER_ORDER_WRONG = "container-order-wrong"
    """The format fixes which members there are and in which order, and these are not they."""

    # Packages
    PACKAGE_SIGNATURE_RULE = "package-signature-rule"
    """A rule of the package's own signature scheme is broken."""
    PACKAGE_PART_WRONG = "package-part-wrong"
    """A part is not what a list inside of the package says of it."""
    PACKAGE_PART_UNLISTED = "package-part-unlisted"
    """A part stands there that a list of all parts does not have."""
    PACKAGE_PUBLISHER_WRONG = "package-publisher-wrong"
    """The publisher that a packaged app names is not the one that signed it."""
    PACKAGE_MEMBER_MISSING = "package-member-missing"
    """A member that was signed is not there."""
    PACKAGE_MEMBER_UNSIGNED = "package-member-unsigned"
    """Members that a signature of the package does not reach."""
    XML_SIGNATURE_MALFORMED = "xml-signature-malformed"
    XML_SIGNATURE_WRONG = "xml-signature-wrong"
    XML_SIGNER_MISSING = "xml-signer-missing"
    """No certificate came along, or not exactly one that has the signer's key."""

    # Second opinion (`--cross-check`)
    CROSS_CHECK_DIFFERS = "cross-check-differs"

    # OpenPGP (RFC 9580)
    OPENPGP_MALFORMED = "openpgp-malformed"
    OPENPGP_SIGNATURE_WRONG = "openpgp-signature-wrong"
    OPENPGP_ALGORITHM_UNKNOWN = "openpgp-algorithm-unknown"
    OPENPGP_KEY_UNKNOWN = "openpgp-key-unknown"
    """The signer's key was not given, so that nothing can be verified."""
    OPENPGP_KEY_UNFIT = "openpgp-key-unfit"
    """Expired, revoked or not meant for signing when the signature was made."""
    OPENPGP_SIGNATURE_EXPIRES = "openpgp-signature-expires"
    OPENPGP_UNSIGNED_TEXT = "openpgp-unsigned-text"
    """Text before or behind a clear-signed one."""

    # RPM packages ("RPM V4 Package format")
    RPM_MALFORMED = "rpm-malformed"
    RPM_DIGEST_WRONG = "rpm-digest-wrong"
    """A digest or size that the package states of itself, signed or not."""
    RPM_PAYLOAD_UNBOUND = "rpm-payload-unbound"
    """A signature over the header alone, and no digest of the payload in it."""

    # Debian packages (deb(5))
    DEB_LAYOUT = "deb-layout"
    """Signed, and with other members than a package has, or in another order."""

    # Detached signatures
    DETACHED_ALONE = "detached-alone"
    """The file that a side file should sign is not beside it."""
    DETACHED_UNREADABLE = "detached-unreadable"
    """A side file cannot be read, or holds no signature that is known here."""
    DETACHED_KEY_MISSING = "detached-key-missing"
    """What a detached signature is verified with was not given."""
    SIGSTORE_INVALID = "sigstore-invalid"
    """A bundle that does not hold under the given root, for one reason or another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One anomaly. `detail` is for people and may quote attacker-controlled text."""

    code: ProblemCode
    detail: str
    offset: int | None = None
    """Byte offset in the artifact where it stands."""
