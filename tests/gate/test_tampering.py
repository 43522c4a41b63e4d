"""From bytes to verdict: a policy allows a signer, and whoever changes the file loses the permission."""

from __future__ import annotations

import hashlib
import struct

from asn1crypto import cms as asn1_cms
from asn1crypto import x509 as asn1_x509
from hypothesis import given, settings
from hypothesis import strategies as st

from csv_gate.engine import CompiledPolicySet, compile_policy_set, evaluate
from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model.appcontrol import KERNEL_SCENARIO, USER_SCENARIO
from csv_gate.model.context import AppControlContext
from csv_gate.model.verdict import Decision
from tests.builders import appcontrol as ac
from tests.builders import ca
from tests.builders.pe import checksum_offset, pe, security_entry_offset
from tests.builders.plans import NOON
from tests.builders.signed_pe import padded, signed_pe
from tests.builders.version_resource import version_info

ROOT = ca.root()
AUTHORITY = ROOT.issue_authority()
SIGNER = AUTHORITY.issue("Contoso Ltd")
NAMES = {"040904B0": {"OriginalFilename": "app.dll", "ProductName": "Suite"}}
IMAGE = padded(pe(imports=["kernel32.dll"], versions={0x409: version_info(tables=NAMES)}, overlay=b"payload!"))
SIGNED = signed_pe(IMAGE, SIGNER)
SETTINGS = ExtractionSettings()


def policies(certificate: ca.Identity) -> CompiledPolicySet:
    """Allows one publisher in both scenarios, by the TBS of a certificate of its chain."""
    tbs = hashlib.sha256(asn1_x509.Certificate.load(certificate.certificate)["tbs_certificate"].dump()).hexdigest()
    signer = ac.signer(tbs=tbs, publisher="Contoso Ltd")
    group = ac.group(allowed=[ac.use()])
    scenarios = [ac.scenario(KERNEL_SCENARIO, group), ac.scenario(USER_SCENARIO, group)]
    return compile_policy_set(ac.policy_set(ac.policy(signers=[signer], scenarios=scenarios)))


ALLOWING = policies(AUTHORITY)
CONTEXT = AppControlContext(evaluated_at=NOON, driver_signing_satisfied=True)
"""The word of the user on driver signing, so that nothing but the policy stands in the way."""
CHECKSUM, ENTRY, TABLE = checksum_offset(SIGNED), security_entry_offset(SIGNED), len(IMAGE)
COVERED = [at for at in range(TABLE) if not CHECKSUM <= at < CHECKSUM + 4 and not ENTRY <= at < ENTRY + 8]


def decision(data: bytes) -> Decision:
    return evaluate(extract(data, SETTINGS), ALLOWING, CONTEXT, target="t").decision


def flipped(position: int, change: int) -> bytes:
    changed = bytearray(SIGNED)
    changed[position] ^= change
    return bytes(changed)


def signed_octets(data: bytes) -> tuple[bytes, ...]:
    """What the signature of an image vouches for, and by which key: read by another library, in BER as well as in DER."""
    (length,) = struct.unpack_from("<I", data, TABLE)
    content = asn1_cms.ContentInfo.load(data[TABLE + 8 : TABLE + length])["content"]
    (signer,) = content["signer_infos"]
    leaf = next(
        one for one in content["certificates"] if one.chosen["tbs_certificate"]["serial_number"].native == SIGNER.serial
    )
    return (
        content["encap_content_info"]["content"].contents,
        signer["signed_attrs"].contents,
        signer["signature"].native,
        leaf.chosen["tbs_certificate"]["subject_public_key_info"].dump(),
    )


def test_the_signed_image_is_allowed() -> None:
    assert decision(SIGNED) is Decision.ALLOWED


def test_the_checksum_is_nobodys_promise() -> None:
    assert decision(flipped(CHECKSUM, 0xFF)) is Decision.ALLOWED


@settings(max_examples=400, deadline=None)
@given(position=st.sampled_from(COVERED), change=st.integers(1, 255))
def test_no_change_of_a_byte_that_authenticode_covers_stays_allowed(position: int, change: int) -> None:
    assert decision(flipped(position, change)) is not Decision.ALLOWED


@settings(max_examples=400, deadline=None)
@given(position=st.integers(TABLE, len(SIGNED) - 1), change=st.integers(1, 255))
def test_a_changed_signature_allows_only_while_what_it_signs_is_the_same(position: int, change: int) -> None:
    data = flipped(position, change)
    if decision(data) is Decision.ALLOWED:
        assert signed_octets(data) == signed_octets(SIGNED)


@settings(max_examples=60, deadline=None)
@given(position=st.integers(ENTRY, ENTRY + 7), change=st.integers(1, 255))
def test_no_other_place_of_the_certificate_table_is_allowed(position: int, change: int) -> None:
    assert decision(flipped(position, change)) is not Decision.ALLOWED


@settings(max_examples=60, deadline=None)
@given(added=st.binary(min_size=1, max_size=40))
def test_bytes_behind_the_certificate_table_are_not_allowed(added: bytes) -> None:
    assert decision(SIGNED + added) is not Decision.ALLOWED


@settings(max_examples=60, deadline=None)
@given(kept=st.integers(0, len(SIGNED) - 1))
def test_a_file_cut_short_is_not_allowed(kept: int) -> None:
    assert decision(SIGNED[:kept]) is not Decision.ALLOWED
