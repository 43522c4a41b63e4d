"""Policy files by content: XML, compiled, or compiled inside a PKCS#7 envelope. File extensions prove nothing."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from csv_gate.errors import Place, PolicyError
from csv_gate.lazy import regex
from csv_gate.limits import DEFAULT_LIMITS, Limits
from csv_gate.model.appcontrol import AppControlPolicy, PolicyForm
from csv_gate.model.guid import Guid
from csv_gate.policies.xml_reader import read_xml
from csv_gate.records import replace

_XML_STARTS = (b"<", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_LARGEST_FORMAT = 0x20
"""Format numbers up to here are taken for compiled policies, so that a future one is called by its name."""
_BLANKS = b" \t\r\n"
_DEPLOYED = regex(r"(\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?)\.cip", re.IGNORECASE)


def load_policy(path: Path, limits: Limits = DEFAULT_LIMITS) -> AppControlPolicy:
    """Read a policy file.

    Raises:
        PolicyError: the file can't be read, or is no policy.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limits.max_policy_bytes + 1)
    except OSError as error:
        raise PolicyError(
            "the policy file can't be read",
            place=Place(path=str(path)),
            got=error.strerror or type(error).__name__,
            expected="a readable file",
            help="check the path and its permissions",
        ) from error
    policy = read_policy(data, path=str(path), limits=limits)
    note = _name_note(path.name, policy)
    return policy if note is None else replace(policy, notes=(*policy.notes, note))


def read_policy(data: bytes, *, path: str, limits: Limits = DEFAULT_LIMITS) -> AppControlPolicy:
    """Read a policy from bytes; `path` is what messages call it.

    Raises:
        PolicyError: it is no policy, or a broken one.
    """
    place = Place(path=path)
    if len(data) > limits.max_policy_bytes:
        raise PolicyError(
            "the policy is larger than any real one",
            place=place,
            got=f"more than {limits.max_policy_bytes} bytes",
            expected="within the limit max_policy_bytes",
            help="raise max_policy_bytes if this policy is really meant",
        )
    if data.lstrip(_BLANKS).startswith(_XML_STARTS):
        return read_xml(data, path=path, limits=limits)
    # A run with XML policies can spare what reads the other forms.
    if _looks_compiled(data):
        from csv_gate.policies.binary_reader import read_binary

        return read_binary(data, path=path, limits=limits)
    from csv_gate.policies.envelope import is_envelope

    if is_envelope(data):
        return _read_signed(data, path, limits)
    raise PolicyError(
        "the file is not an App Control policy",
        place=place,
        got="an empty file" if not data else f"bytes {data[:8].hex(' ')}",
        expected="SiPolicy XML, a compiled policy (.cip, .bin) or a signed one (.p7b)",
        help="give the policy XML that ConfigCI compiles, or the compiled policy itself",
    )


def _read_signed(data: bytes, path: str, limits: Limits) -> AppControlPolicy:
    from csv_gate.policies.binary_reader import read_binary
    from csv_gate.policies.envelope import open_envelope

    opened = open_envelope(data, path=path, limits=limits)
    policy = read_binary(
        opened.content,
        path=path,
        limits=limits,
        base=opened.offset,
        sha256=hashlib.sha256(data).hexdigest(),
        signature=opened.signature,
    )
    if opened.signature.valid:
        return policy
    return replace(policy, notes=(*policy.notes, "the signature of the policy is not valid: Windows would not activate it"))


def _looks_compiled(data: bytes) -> bool:
    """A format number and room for a header."""
    return len(data) >= 4 and 0 < int.from_bytes(data[:4], "little") <= _LARGEST_FORMAT


def _name_note(name: str, policy: AppControlPolicy) -> str | None:
    """Windows finds a compiled policy by its name: the braced PolicyID and `.cip`."""
    if policy.form is not PolicyForm.BINARY:
        return None
    match = _DEPLOYED.fullmatch(name)
    if match is None or Guid.read(match[1]) == policy.policy_id:
        return None
    return f"the file is named {name}, but the policy is {{{str(policy.policy_id).upper()}}}: Windows would not activate it"
