"""A deployer's demands: nothing that was changed, and nothing that was not asked for, gets through."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csv_gate.attesting import PREDICATES, Demand, Fault, Verified, verify
from csv_gate.attesting.dsse import PAYLOAD_TYPE, Envelope, pae, read_envelopes, write_envelope
from csv_gate.attesting.keys import SigningKey
from csv_gate.errors import UsageError
from tests.builders.attestations import attested, ed25519_key, p256_key, signed, write_key
from tests.builders.results import allowed, artifact, denied, digest, result, target

POLICIES = frozenset(policy.sha256 for policy in target().policies)
RUN = result(artifact("a.dll", allowed()), artifact("b.dll", allowed()), artifact("c.dll", denied()))
KINDS = {"ed25519": ed25519_key, "p256": p256_key}


@pytest.fixture(scope="module", params=KINDS)
def key(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return write_key(KINDS[request.param](), tmp_path_factory.mktemp("keys"))


def asked(key: SigningKey, *envelopes: Envelope, **demand: Any) -> tuple[tuple[Verified, ...], tuple[Fault, ...]]:
    return verify(envelopes, Demand(keys=(key.public,), **demand))


def faults(key: SigningKey, *envelopes: Envelope, **demand: Any) -> list[str]:
    return [fault.why for fault in asked(key, *envelopes, **demand)[1]]


@pytest.mark.parametrize("predicate", PREDICATES)
def test_what_was_attested_verifies(key: SigningKey, predicate: str) -> None:
    (envelope,) = attested(RUN, key, predicate)
    wanted = {"a.dll": digest("a.dll")}
    (found,), none = asked(key, envelope, policies=POLICIES, artifacts=wanted, target="prod")
    assert none == ()
    assert found.digests == {digest("a.dll"), digest("b.dll")}
    assert (found.policies, found.predicate, found.key_id) == (POLICIES, predicate, key.public.key_id)


def test_an_artifact_that_was_denied_is_refused_by_name(key: SigningKey) -> None:
    (why,) = faults(key, *attested(RUN, key), artifacts={"c.dll": digest("c.dll"), "a.dll": digest("a.dll")})
    assert why.startswith("c.dll ")


@pytest.mark.parametrize("wanted", [frozenset({"0" * 64}), POLICIES | {"0" * 64}, frozenset()], ids=["other", "more", "none"])
def test_other_policies_than_the_targets_are_refused(key: SigningKey, wanted: frozenset[str]) -> None:
    (why,) = faults(key, *attested(RUN, key), policies=wanted)
    assert "other policies" in why


def test_another_key_is_refused(key: SigningKey, tmp_path: Path) -> None:
    stranger = write_key(ed25519_key(), tmp_path)
    (why,) = faults(key, *attested(RUN, stranger))
    assert "not signed by any of the given keys" in why


def test_one_envelope_of_a_stranger_makes_the_file_worthless(key: SigningKey, tmp_path: Path) -> None:
    stranger = write_key(p256_key(), tmp_path)
    assert faults(key, *attested(RUN, key), *attested(RUN, stranger))


def test_the_id_of_a_key_in_the_envelope_decides_nothing(key: SigningKey, tmp_path: Path) -> None:
    (envelope,) = attested(RUN, key)
    (signature,) = envelope.signatures
    renamed = replace(envelope, signatures=(replace(signature, key_id="somebody"),))
    assert faults(key, renamed) == []
    stranger = write_key(ed25519_key(), tmp_path)
    posing = replace(signature, value=stranger.sign(envelope.signed).value)
    assert faults(key, replace(envelope, signatures=(posing,)))


def leaves(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [path for name, inner in value.items() for path in [(*at, name), *leaves(inner, (*at, name))]]
    if isinstance(value, list):
        return [path for index, inner in enumerate(value) for path in leaves(inner, (*at, index))]
    return [at]


def without(document: Any, path: tuple[Any, ...]) -> Any:
    changed = json.loads(json.dumps(document))
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return changed


@pytest.mark.parametrize("predicate", PREDICATES)
def test_every_field_that_is_changed_or_taken_out_breaks_the_signature(key: SigningKey, predicate: str) -> None:
    (envelope,) = attested(RUN, key, predicate)
    document = json.loads(envelope.payload)
    paths = leaves(document)
    assert len(paths) > 25
    for path in paths:
        payload = json.dumps(without(document, path), sort_keys=True, separators=(",", ":")).encode()
        assert faults(key, replace(envelope, payload=payload)), path


@pytest.mark.parametrize("predicate", PREDICATES)
def test_even_a_signed_statement_that_lacks_something_essential_is_refused(key: SigningKey, predicate: str) -> None:
    (envelope,) = attested(RUN, key, predicate)
    document = json.loads(envelope.payload)
    result_of = {"svr": ["properties"], "vsa": ["verificationResult"]}[predicate]
    essential = [
        ("_type",),
        ("predicateType",),
        ("subject",),
        ("subject", 0, "digest"),
        ("predicate", "verifier"),
        ("predicate", "urn:csv-gate:run", "target"),
        ("predicate", "urn:csv-gate:run", "policies"),
        ("predicate", *result_of),
    ]
    for path in essential:
        assert faults(key, signed(json.dumps(without(document, path)).encode(), key)), path


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("verificationResult", "FAILED"),
        ("verifiedLevels", []),
        ("verifiedLevels", ["SLSA_BUILD_LEVEL_3"]),
        ("verifier", {"id": "urn:x"}),
    ],
)
def test_a_summary_that_did_not_pass_is_refused(key: SigningKey, member: str, value: Any) -> None:
    (envelope,) = attested(RUN, key, "vsa")
    document = json.loads(envelope.payload)
    document["predicate"][member] = value
    assert faults(key, signed(json.dumps(document).encode(), key))


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b"{}", b"[" * 100_000, b"\xff", b'{"_type":1,"predicateType":2}'])
def test_a_signed_payload_that_is_no_statement_is_refused(key: SigningKey, payload: bytes) -> None:
    assert faults(key, signed(payload, key))


def test_the_same_bytes_signed_as_another_type_are_refused(key: SigningKey) -> None:
    (envelope,) = attested(RUN, key)
    assert faults(key, replace(envelope, payload_type="application/json"))
    assert faults(key, signed(envelope.payload, key, "application/json"))


def test_several_targets_need_a_name_before_files_are_looked_up(key: SigningKey) -> None:
    run = result(artifact("a.dll", allowed("one"), denied("two")), artifact("b.dll", allowed("two")))
    envelopes = attested(run, key)
    wanted = {"a.dll": digest("a.dll")}
    assert "several targets" in faults(key, *envelopes, artifacts=wanted)[0]
    assert faults(key, *envelopes, artifacts=wanted, target="one") == []
    assert faults(key, *envelopes, artifacts=wanted, target="two")
    assert "nothing is attested" in faults(key, *envelopes, target="three")[0]


def test_an_envelope_survives_being_written(key: SigningKey) -> None:
    (envelope,) = attested(RUN, key)
    assert list(read_envelopes(write_envelope(envelope).encode(), path="a.json")) == [envelope]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["payload", "payloadType", "signatures", "sig", "keyid"]), inner)
    ),
)


@given(JUNK.map(lambda value: json.dumps(value).encode()) | st.binary())
def test_a_file_that_is_no_envelope_is_a_usage_error_and_nothing_else(data: bytes) -> None:
    try:
        list(read_envelopes(data, path="a.json"))
    except UsageError:
        return
    assert b"signatures" in data


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_byte_of_the_file_never_verifies_something_else(key: SigningKey, data: st.DataObject) -> None:
    (envelope,) = attested(RUN, key)
    written = bytearray(write_envelope(envelope).encode())
    # The length of a signature varies from run to run; what is drawn must not.
    written[data.draw(st.integers(0, 1_000_000)) % len(written)] ^= data.draw(st.integers(1, 255))
    try:
        found, none = asked(key, *read_envelopes(bytes(written), path="a.json"))
    except UsageError:
        return
    if not none:
        assert [one.digests for one in found] == [{digest("a.dll"), digest("b.dll")}]


def test_the_encoding_that_is_signed_is_the_one_of_the_protocol() -> None:
    """The example of the DSSE protocol's test vectors."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (b"DSSEv1 29 http://example.com/HelloWorld 11 hello world")


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_securesystemslib_verifies_what_is_signed_here(make: Callable[[], Any], tmp_path: Path) -> None:
    dsse = pytest.importorskip("securesystemslib.dsse")
    signer = pytest.importorskip("securesystemslib.signer")
    key = write_key(make(), tmp_path)
    (envelope,) = attested(RUN, key)
    public = signer.SSlibKey.from_crypto(key.public.key, key.public.key_id)
    theirs = dsse.Envelope.from_dict(json.loads(write_envelope(envelope)))
    assert theirs.verify([public], 1) == {key.public.key_id: public}
    theirs.payload += b" "
    with pytest.raises(Exception, match="do not match"):
        theirs.verify([public], 1)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_openssl_verifies_the_raw_signature(make: Callable[[], Any], tmp_path: Path) -> None:
    key = write_key(make(), tmp_path)
    (envelope,) = attested(RUN, key)
    (tmp_path / "signed").write_bytes(pae(PAYLOAD_TYPE, envelope.payload))
    (tmp_path / "signature").write_bytes(envelope.signatures[0].value)
    how = ["-rawin"] if make is ed25519_key else ["-rawin", "-digest", "sha256"]
    arguments = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pub", *how, "-in", "signed", "-sigfile", "signature"]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
