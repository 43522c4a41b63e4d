"""A policy from one form to the other, and the digests of a policy file."""

from __future__ import annotations

import hashlib

from csv_gate.authoring.meaning import statements
from csv_gate.errors import Place, PolicyError
from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.model.appcontrol import AppControlPolicy, PolicyForm, PolicySignature
from csv_gate.policies import read_policy, write_binary, write_xml
from csv_gate.policies.envelope import is_envelope, open_envelope
from csv_gate.records import dataclass


def converted(policy: AppControlPolicy, form: PolicyForm, *, format_version: int | None = None) -> bytes:
    """The policy in `form`, unsigned, checked by reading it back: it allows and denies the same.

    Args:
        format_version: of the binary form; by default that of the policy, else the oldest that holds it.

    Raises:
        PolicyError: the form cannot express the policy.
    """
    data = write_xml(policy) if form is PolicyForm.XML else write_binary(policy, format_version=format_version)
    again = read_policy(data, path=f"{policy.path}, converted")
    if statements(again).keys() != statements(policy).keys():
        raise PolicyError(
            f"the policy can't be converted to {form.value}: the result would not allow and deny the same",
            place=Place(path=policy.path),
            help="please report it with the policy, this is a fault of csv-gate",
        )
    return data


def form_of_suffix(suffix: str) -> PolicyForm | None:
    """The form that a file's extension promises; `None`: it promises nothing."""
    if suffix.lower() == ".xml":
        return PolicyForm.XML
    return PolicyForm.BINARY if suffix.lower() in (".cip", ".bin") else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDigests:
    """SHA-256 of a policy file and, where it is signed, of what the signature wraps. Lower-case hex."""

    path: str
    sha256: str
    content_sha256: str
    """Of the compiled policy inside the envelope; of the file where there is none."""
    signature: PolicySignature | None


def policy_digests(data: bytes, *, path: str, limits: Limits = DEFAULT_LIMITS) -> PolicyDigests:
    """Digest a policy file.

    Raises:
        PolicyError: it is no policy.
    """
    if not data:
        raise PolicyError("the file is not an App Control policy", place=Place(path=path), got="an empty file")
    policy = read_policy(data, path=path, limits=limits)
    whole = hashlib.sha256(data).hexdigest()
    if policy.signature is None or not is_envelope(data):
        return PolicyDigests(path=path, sha256=whole, content_sha256=whole, signature=None)
    content = open_envelope(data, path=path, limits=limits).content
    inner = hashlib.sha256(content).hexdigest()
    return PolicyDigests(path=path, sha256=whole, content_sha256=inner, signature=policy.signature)
