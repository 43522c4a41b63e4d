"""The `requirements:` and `signers:` sections as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from csv_gate.config import load_config
from csv_gate.errors import ConfigError, ConfigErrors
from csv_gate.gate.requirement_sets import requirement_catalogs, requirements_of
from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.model.facts import SignatureScheme
from csv_gate.model.verdict import Level
from csv_gate.requirements import Demands, Expiry, KeyBits, RequirementSet, Stamp

TBS, FINGERPRINT = "AB" * 32, "CD" * 20
SIGNERS = f"""
signers:
  build: {{cn: Contoso Build, issuer: Contoso CA}}
  tsa: {{tbs: "{TBS}"}}
  people: {{fingerprint: ["{FINGERPRINT}"]}}
  workflow: {{identity: "https://github.com/contoso/*", identity_issuer: "https://token.example"}}
"""


def read(folder: Path, text: str) -> tuple[RequirementSet, ...]:
    path = folder / "csv-gate.yaml"
    path.write_text("version: 1\n" + SIGNERS + text, encoding="utf-8")
    return requirements_of(load_config(path).config, DEFAULT_LIMITS)


def faults(folder: Path, text: str) -> str:
    with pytest.raises(ConfigErrors) as caught:
        read(folder, text)
    return str(caught.value)


def test_every_demand_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "app.cat").write_bytes(b"whatever stands in it")
    full, plain = read(
        tmp_path,
        """
requirements:
  plain: {signed: true}
  full:
    level: warning
    paths: ["out/**/*.dll", "vendor/"]
    formats: [pe, msi]
    signed: true
    signed_by: [build, people, workflow]
    scheme: [authenticode, nuget]
    role: author
    timestamp: rfc3161
    timestamp_by: tsa
    min_digest: sha384
    min_key_bits: {rsa: 3072, ec: 256}
    not_expiring_within_days: 30
    even_time_stamped: true
    no_test_certificates: true
    test_names: ["*nightly*"]
    all_signatures_valid: true
    no_unsigned_content: true
    catalogs_complete: ["*.cat"]
    wanted:
      - {paths: vendor/zlib1.dll, signed_by: tsa}
""",
    )
    asked = full.demands
    assert (full.name, full.level, full.formats) == ("full", Level.WARNING, frozenset({"pe", "msi"}))
    assert [signer.name for signer in asked.signed_by] == ["build", "people", "workflow"]
    assert asked.schemes == {SignatureScheme.AUTHENTICODE, SignatureScheme.NUGET}
    assert asked.timestamp is not None
    assert asked.timestamp.is_rfc3161
    assert asked.timestamp.signers[0].tbs == ("ab" * 32,)
    assert (asked.min_digest, asked.min_key_bits) == ("sha384", KeyBits(rsa=3072, ec=256))
    assert asked.expiry == Expiry(days=30, is_always=True)
    assert asked.listed is not None
    assert [row.signers[0].name for row in asked.wanted] == ["tsa"]
    assert full.place is not None
    assert full.place.line is not None
    assert plain.demands == Demands(signed=True)


def test_a_time_stamp_of_any_kind_and_files_that_stay_unsigned(tmp_path: Path) -> None:
    one, two = read(tmp_path, "requirements: {a: {timestamp: any}, b: {must_be_unsigned: true, paths: x.dll}}")
    assert one.demands == Demands(timestamp=Stamp())
    assert two.demands == Demands(must_be_unsigned=True)


def test_the_catalogs_of_requirements_are_known(tmp_path: Path) -> None:
    (tmp_path / "app.cat").write_bytes(b"x")
    read(tmp_path, "requirements: {a: {catalogs_complete: app.cat}}")
    assert requirement_catalogs(load_config(tmp_path / "csv-gate.yaml").config) == (str(tmp_path / "app.cat"),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("requirements: {a: {paths: x.dll}}", "asks for nothing"),
        ("requirements: {a: {signed: true, must_be_unsigned: true}}", "contradicts itself"),
        ("requirements: {a: {signed: true, if_signed: true}}", "`if_signed` with `signed`"),
        ("requirements: {a: {signed: true, test_names: x}}", "`test_names` without"),
        ("requirements: {a: {signed: true, even_time_stamped: true}}", "`even_time_stamped` without"),
        ("requirements: {a: {signed_by: biuld}}", "did you mean 'build'?"),
        ("requirements: {a: {signed: true, targets: prod}}", "names a target that is not there"),
        ("requirements: {a: {wanted: [{paths: x.dll, signed_by: nobody}]}}", "names a signer that is not there"),
        ("requirements: {a b: {signed: true}}", "wrong requirement name"),
        ("requirements: {a: {min_digest: md5}}", "one of sha1, sha256"),
        ("requirements: {a: {scheme: pgp}}", "one of authenticode"),
        ("requirements: {a: {catalogs_complete: none.cat}}", "no file is meant"),
    ],
)
def test_a_requirement_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    error = caught.value
    assert told in "\n".join(f"{one} {one.help}" for one in getattr(error, "errors", (error,)))


@pytest.mark.parametrize(
    ("signer", "told"),
    [
        ("{}", "is not told"),
        ("{issuer: Contoso CA}", "everybody whom an issuer certified"),
        ("{identity: x}", "half told"),
        ("{cn: x, fingerprint: %s}" % ("'" + "0" * 40 + "'"), "several kinds"),
        ("{thumbprint: abc}", "wrong value"),
    ],
)
def test_a_signer_that_cannot_be_meant_is_refused(tmp_path: Path, signer: str, told: str) -> None:
    path = tmp_path / "csv-gate.yaml"
    path.write_text(f"version: 1\nsigners: {{a: {signer}}}\n", encoding="utf-8")
    with pytest.raises(ConfigErrors) as caught:
        load_config(path)
    assert told in str(caught.value)


def test_all_references_that_lead_nowhere_are_told_at_once(tmp_path: Path) -> None:
    told = faults(tmp_path, "requirements: {a: {signed_by: [one, two]}, b: {timestamp_by: three}}")
    assert all(f"'{name}'" in told for name in ("one", "two", "three"))
