"""The `requirements:` and `signers:` sections: what is asked of signatures beside any policy, and who the signers are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from csv_gate.documents import FilePattern, says
from csv_gate.errors import ConfigError, Place
from csv_gate.globs import Glob
from csv_gate.model.facts import SignatureScheme
from csv_gate.model.verdict import Level
from csv_gate.records import dataclass, field

HEX = "[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}"
TBS_HEX = "[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{128}"
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"


class StampKind(StrEnum):
    """Which time stamps count."""

    ANY = "any"
    RFC3161 = "rfc3161"


class MinDigest(StrEnum):
    """The weakest digest that is good enough."""

    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerSettings:
    """Who signs. Of one kind any entry suffices; the kinds that are stated must all hold."""

    name: str = field(metadata=says("", given="key"))
    subject: tuple[str, ...] = field(
        default=(),
        metadata=says(
            "Distinguished name of the certificate, such as `CN=Contoso Build,O=Contoso`; `*` and `?` are wildcards."
        ),
    )
    cn: tuple[str, ...] = field(
        default=(),
        metadata=says(
            "Common name of the certificate; `*` and `?` are wildcards. Names count only below a root that is known or given under "
            "`roots`, unless a thumbprint or `tbs` is stated too."
        ),
    )
    issuer: tuple[str, ...] = field(
        default=(), metadata=says("Distinguished or common name of the certificate's issuer; `*` and `?` are wildcards.")
    )
    thumbprint: tuple[str, ...] = field(
        default=(), metadata=says("SHA-1 or SHA-256 of the certificate, 40 or 64 hex digits.", pattern=HEX)
    )
    tbs: tuple[str, ...] = field(
        default=(),
        metadata=says(
            "Hash of the signed part (TBS) of the certificate, or of one above it, as in a policy's signer rule: 40 to 128 hex digits.",
            pattern=TBS_HEX,
        ),
    )
    fingerprint: tuple[str, ...] = field(
        default=(), metadata=says("Fingerprint of a primary OpenPGP key, 40 or 64 hex digits.", pattern=HEX)
    )
    identity: tuple[str, ...] = field(
        default=(),
        metadata=says("Identity in a sigstore certificate, such as a workflow's address; `*` and `?` are wildcards."),
    )
    identity_issuer: tuple[str, ...] = field(
        default=(), metadata=says("Who vouches for the identity, such as `https://token.actions.githubusercontent.com`.")
    )
    place: Place = field(metadata=says("", given="place"))

    def __post_init__(self) -> None:
        _check_name(self.name, "signer", self.place)
        certificate = self.subject or self.cn or self.issuer or self.thumbprint or self.tbs
        kinds = [bool(certificate), bool(self.fingerprint), bool(self.identity or self.identity_issuer)]
        if sum(kinds) != 1:
            raise ConfigError(
                f"the signer {self.name!r} is not told",
                place=self.place,
                got="several kinds of signer" if any(kinds) else "nothing",
                expected="a certificate (cn, subject, issuer, thumbprint, tbs), or a fingerprint (OpenPGP), or an identity (sigstore)",
            )
        if self.issuer and not (self.subject or self.cn or self.thumbprint or self.tbs):
            raise ConfigError(
                f"the signer {self.name!r} is everybody whom an issuer certified",
                place=self.place,
                got="an issuer alone",
                expected="a common name or subject too",
            )
        if bool(self.identity) != bool(self.identity_issuer):
            raise ConfigError(
                f"the signer {self.name!r} is half told",
                place=self.place,
                expected="`identity` and `identity_issuer`: an identity is worth what who vouches for it is worth",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyBitsSettings:
    """Least key lengths. Ed25519 and Ed448 keys are always long enough."""

    rsa: int | None = field(default=None, metadata=says("Of RSA keys, in bits.", low=1024, high=16384))
    ec: int | None = field(default=None, metadata=says("Of keys on elliptic curves, in bits.", low=160, high=1024))


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSettings:
    """A row of a list of foreign files."""

    paths: tuple[Glob, ...] = field(metadata=says("Path globs of the build output."))
    signed_by: tuple[str, ...] = field(metadata=says("Names of signers; one of them has to have signed these files."))
    place: Place = field(metadata=says("", given="place"))

    def __post_init__(self) -> None:
        if not self.paths or not self.signed_by:
            raise ConfigError("a row needs paths and signers", place=self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementSettings:
    """A set of requirements. One and the same signature has to meet everything that is asked of a signature."""

    name: str = field(metadata=says("", given="key"))
    level: Level = field(default=Level.ERROR, metadata=says("What its findings count as."))
    paths: tuple[Glob, ...] = field(default=(), metadata=says("Which artifacts are meant, by path; none given: all."))
    targets: tuple[str, ...] = field(default=(), metadata=says("Only what goes to one of these targets; none given: all."))
    formats: tuple[str, ...] = field(
        default=(),
        metadata=says(
            "Only files of these formats, as `format` of the JSON result names them: pe, msi, nupkg, … None given: files that can carry "
            "a signature, and files that a pattern names by name or extension; for `catalogs_complete` all files.",
            pattern=r"[a-z0-9_]+",
        ),
    )
    signed: bool = field(default=False, metadata=says("A valid signature, whoever made it."))
    signed_by: tuple[str, ...] = field(default=(), metadata=says("A valid signature by one of these `signers`."))
    scheme: tuple[SignatureScheme, ...] = field(default=(), metadata=says("A signature by one of these schemes."))
    role: tuple[str, ...] = field(default=(), metadata=says("A signature in one of these roles: `author`, `repository`, …"))
    timestamp: StampKind | None = field(default=None, metadata=says("A valid time stamp, of any kind or by RFC 3161."))
    timestamp_by: tuple[str, ...] = field(default=(), metadata=says("A time stamp by one of these `signers`."))
    min_digest: MinDigest | None = field(default=None, metadata=says("The weakest digest that is good enough."))
    min_key_bits: KeyBitsSettings | None = field(default=None, metadata=says("Least length of the signer's key."))
    not_expiring_within_days: int | None = field(
        default=None,
        metadata=says(
            "Days that the signer's certificate must still last, where no time stamp outlasts it.", low=0, high=36500
        ),
    )
    even_time_stamped: bool = field(
        default=False, metadata=says("`not_expiring_within_days` also of signatures with a valid time stamp.")
    )
    if_signed: bool = field(
        default=False, metadata=says("Asks these things of signatures that are there; what has none at all is left alone.")
    )
    no_test_certificates: bool = field(default=False, metadata=says("No signature by a certificate for tests."))
    test_names: tuple[str, ...] = field(
        default=(),
        metadata=says("Further names of certificates for tests; `*` and `?` are wildcards, letter case does not matter."),
    )
    all_signatures_valid: bool = field(default=False, metadata=says("No signature that is not valid, nested ones included."))
    no_unsigned_content: bool = field(
        default=False,
        metadata=says(
            "Of containers: every member that can carry a signature has a valid one, and a package's own signature covers all."
        ),
    )
    catalogs_complete: tuple[FilePattern, ...] = field(
        default=(), metadata=says("Security catalogs, paths or globs; one of them has to list each file that is meant.")
    )
    must_be_unsigned: bool = field(default=False, metadata=says("No signature of its own: files that signing must not touch."))
    wanted: tuple[WantedSettings, ...] = field(
        default=(), metadata=says("Foreign files and who signs them; every file that the set means has to be in a row.")
    )
    place: Place = field(metadata=says("", given="place"))

    def __post_init__(self) -> None:
        _check_name(self.name, "requirement", self.place)
        of_signatures = self._asks_of_signatures
        others = self.no_test_certificates or self.all_signatures_valid or self.no_unsigned_content
        if not (of_signatures or others or self.catalogs_complete or self.must_be_unsigned or self.wanted):
            raise ConfigError(f"the requirement {self.name!r} asks for nothing", place=self.place)
        for is_wrong, fault in (
            (
                self.must_be_unsigned and (of_signatures or bool(self.wanted)),
                "`must_be_unsigned` beside what asks for a signature",
            ),
            (
                self.if_signed and (self.signed or not of_signatures),
                "`if_signed` with `signed`, or with nothing that is asked of signatures",
            ),
            (bool(self.test_names) and not self.no_test_certificates, "`test_names` without `no_test_certificates`"),
            (
                self.even_time_stamped and self.not_expiring_within_days is None,
                "`even_time_stamped` without `not_expiring_within_days`",
            ),
        ):
            if is_wrong:
                raise ConfigError(f"the requirement {self.name!r} contradicts itself", place=self.place, got=fault)

    @property
    def _asks_of_signatures(self) -> bool:
        asked = (self.signed, self.signed_by, self.scheme, self.role, self.timestamp_by)
        chosen = (self.timestamp, self.min_digest, self.min_key_bits, self.not_expiring_within_days)
        return any(asked) or any(one is not None for one in chosen)


def _check_name(name: str, what: str, place: Place) -> None:
    if re.fullmatch(NAME, name) is None:
        raise ConfigError(f"wrong {what} name", place=place, got=repr(name[:60]), expected="letters, digits, '.', '_' or '-'")


def check_references(
    requirements: Mapping[str, RequirementSettings], signers: Mapping[str, SignerSettings], targets: Mapping[str, object]
) -> None:
    """Raises ConfigErrors: every signer and target that a requirement names and that is not there."""
    from csv_gate.documents.typed import did_you_mean
    from csv_gate.errors import ConfigErrors

    faults = []
    for one in requirements.values():
        named = [(name, one.place) for name in (*one.signed_by, *one.timestamp_by)]
        named += [(name, row.place) for row in one.wanted for name in row.signed_by]
        for what, known, names in (
            ("signer", signers, named),
            ("target", targets, [(name, one.place) for name in one.targets]),
        ):
            faults += [
                ConfigError(
                    f"the requirement {one.name!r} names a {what} that is not there",
                    place=place,
                    got=repr(name[:60]),
                    expected=", ".join(sorted(known)) or f"an entry under `{what}s`",
                    help=did_you_mean(name, known),
                )
                for name, place in names
                if name not in known
            ]
    if faults:
        raise ConfigErrors(faults)
