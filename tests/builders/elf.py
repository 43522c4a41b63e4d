"""Writes small ELF files: program headers for an interpreter and for notes, and a module signature behind them."""

from __future__ import annotations

import struct

from tests.builders import ca, cms

MARKER = b"~Module signature appended~\n"


def elf(
    *, bits: int = 64, order: str = "<", type: int = 3, machine: int = 62, build_id: bytes = b"", interpreter: bytes = b""
) -> bytes:
    wide = bits == 64
    note = struct.pack(f"{order}III", 4, len(build_id), 3) + b"GNU\0" + build_id if build_id else b""
    parts = [(3, interpreter + b"\0" if interpreter else b""), (4, note)]
    segments = [(kind, data) for kind, data in parts if data]
    header, entry = (64, 56) if wide else (52, 32)
    at = header + entry * len(segments)
    table, body = b"", b""
    for kind, data in segments:
        place = at + len(body)
        if wide:
            table += struct.pack(f"{order}IIQQQQQQ", kind, 4, place, 0, 0, len(data), len(data), 4)
        else:
            table += struct.pack(f"{order}IIIIIIII", kind, place, 0, 0, len(data), len(data), 4, 4)
        body += data
    identity = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    word = "Q" if wide else "I"
    rest = struct.pack(f"{order}HHI{word}{word}{word}I", type, machine, 1, 0, header, 0, 0)
    rest += struct.pack(f"{order}HHHHHH", header, entry, len(segments), 64 if wide else 40, 0, 0)
    return identity + rest + table + body + b"code and data"


def module_signature(signer: ca.Identity, module: bytes) -> bytes:
    """A detached message without certificates or attributes, as the kernel's sign-file makes it."""
    info = cms.signer_info(signer, module, content_type=None, no_attributes=True)
    return cms.signed_data(None, [info], content_type=cms.DATA)


def trailer(size: int, *, kind: int = 2, algorithm: int = 0) -> bytes:
    return struct.pack(">BBBBB3sI", algorithm, 0, kind, 0, 0, bytes(3), size)


def signed_module(signer: ca.Identity, module: bytes) -> bytes:
    message = module_signature(signer, module)
    return module + message + trailer(len(message)) + MARKER
