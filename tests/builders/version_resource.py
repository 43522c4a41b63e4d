"""Builds VS_VERSION_INFO resources and the resource trees around them."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

STRINGS = {
    "OriginalFilename": "app.exe",
    "InternalName": "app",
    "FileDescription": "An application",
    "ProductName": "Product",
}


def _block(
    key: str, value: bytes, children: Sequence[bytes] = (), *, is_text: bool = False, length: int | None = None
) -> bytes:
    body = struct.pack("<HH", len(value) // 2 if is_text else len(value), int(is_text)) + key.encode("utf-16-le") + b"\0\0"
    body += bytes(-(len(body) + 2) % 4) + value
    for child in children:
        body += bytes(-(len(body) + 2) % 4) + child
    return struct.pack("<H", len(body) + 2 if length is None else length) + body


def version_info(
    *,
    file_version: tuple[int, int, int, int] | None = (1, 2, 3, 4),
    tables: Mapping[str, Mapping[str, str]] | None = None,
    translations: Sequence[tuple[int, int]] | None = ((0x0409, 0x04B0),),
    root_key: str = "VS_VERSION_INFO",
    signature: int = 0xFEEF04BD,
    root_length: int | None = None,
) -> bytes:
    """One resource: `tables` maps keys such as `040904b0` to the strings of that table."""
    fixed = b""
    if file_version is not None:
        major, minor, build, revision = file_version
        fixed = struct.pack("<IIHHHH", signature, 0x10000, minor, major, revision, build) + bytes(36)
    children = []
    shown = {"040904b0": STRINGS} if tables is None else tables
    if shown:
        string_tables = [
            _block(
                key,
                b"",
                [
                    _block(name, (text + "\0").encode("utf-16-le", "surrogatepass"), is_text=True)
                    for name, text in strings.items()
                ],
            )
            for key, strings in shown.items()
        ]
        children.append(_block("StringFileInfo", b"", string_tables))
    if translations is not None:
        pairs = b"".join(struct.pack("<HH", language, page) for language, page in translations)
        children.append(_block("VarFileInfo", b"", [_block("Translation", pairs)]))
    return _block(root_key, fixed, children, length=root_length)


def resource_tree(
    resources: Mapping[int, bytes],
    rva: int,
    *,
    loop: bool = False,
    leaf_size: int | None = None,
    id: int = 1,
    language: int | None = None,
) -> bytes:
    """A `.rsrc` section at `rva` with RT_VERSION resources by language; `loop` points the name level back at the root, `language` is
    what all of them claim."""

    def directory(entries: Sequence[tuple[int, int]]) -> bytes:
        rows = b"".join(struct.pack("<II", number, offset) for number, offset in entries)
        return struct.pack("<IIHHHH", 0, 0, 0, 0, 0, len(entries)) + rows

    languages_at = 24 + 24
    leaves_at = languages_at + 16 + 8 * len(resources)
    data_at = leaves_at + 16 * len(resources)
    data_at += -data_at % 8
    leaves, data, rows = b"", b"", []
    for index, (claimed, octets) in enumerate(resources.items()):
        rows.append((claimed if language is None else language, leaves_at + 16 * index))
        leaves += struct.pack("<IIII", rva + data_at + len(data), len(octets) if leaf_size is None else leaf_size, 0, 0)
        data += octets + bytes(-len(octets) % 8)
    high = 0x8000_0000
    tree = directory([(16, high | (0 if loop else 24))]) + directory([(id, high | languages_at)]) + directory(rows) + leaves
    return tree + bytes(data_at - len(tree)) + data
