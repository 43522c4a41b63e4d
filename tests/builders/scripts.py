"""Signs scripts in memory; the digest rules are written down here once more."""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import Any

from tests.builders import ca, cms, der

SIP_INFO = "1.3.6.1.4.1.311.2.1.30"
POWERSHELL = bytes.fromhex("1fcc3b60594b084eb724d2c6297ef351")
INTERFACES = {
    "vbs": bytes.fromhex("4ef029169927b54d8fe5ace10f17ebab"),
    "js": bytes.fromhex("10e0c906ce38d411a2a300104bd35090"),
    "wsf": bytes.fromhex("7005611ace38d411a2a300104bd35090"),
}
COMMENTS = {
    "ps1": ("# SIG # Begin signature block", "# SIG # End signature block", "# ", ""),
    "ps1xml": ("<!-- SIG # Begin signature block -->", "<!-- SIG # End signature block -->", "<!-- ", " -->"),
    "mof": ("/* SIG # Begin signature block */", "/* SIG # End signature block */", "/* ", " */"),
    "vbs": ("'' SIG '' Begin signature block", "'' SIG '' End signature block", "'' SIG '' ", ""),
    "js": ("// SIG // Begin signature block", "// SIG // End signature block", "// SIG // ", ""),
    "wsf": ("<signature>", "</signature>", "** SIG ** ", ""),
}


def sip_info(interface: bytes) -> bytes:
    return der.seq(der.integer(1), der.octets(interface), *(der.integer(0) for _ in range(5)))


def signature(kind: str, before: str, after: str = "", *, signer: ca.Identity, digest: str = "sha256", **options: Any) -> bytes:
    """The PKCS #7 over a text; `kind` is an extension."""
    covered = before.encode("utf-16-le")
    interface = INTERFACES.get(kind, POWERSHELL)
    if kind in INTERFACES:
        covered = (before + after).encode("utf-16-le") + struct.pack("<I", len(before.encode("utf-16-le")) // 2)
    options = {"data_type": SIP_INFO, "value": sip_info(interface)} | options
    return cms.authenticode(signer, hashlib.new(digest, covered).digest(), digest=digest, **options)


def block(kind: str, octets: bytes, *, width: int = 64) -> str:
    """The lines of a signature block, the line break before it included."""
    begin, end, prefix, suffix = COMMENTS[kind]
    text = base64.b64encode(octets).decode()
    lines = [prefix + text[at : at + width] + suffix for at in range(0, len(text), width)]
    return "\r\n" + "\r\n".join([begin, *lines, end]) + "\r\n"


def signed(kind: str, before: str, after: str = "", *, signer: ca.Identity, **options: Any) -> str:
    """A signed script as text."""
    return before + block(kind, signature(kind, before, after, signer=signer, **options)) + after
