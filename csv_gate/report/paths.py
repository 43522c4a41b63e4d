"""Paths as other tools want them: relative to a base folder, and as URIs."""

from __future__ import annotations

from urllib.parse import quote


def relative(path: str, base: str | None) -> str:
    """`path` below `base` as a relative path with `/`; any other path as it is."""
    slashed = path.replace("\\", "/")
    if base is not None:
        folder = base.replace("\\", "/").rstrip("/") + "/"
        if slashed.startswith(folder):
            return slashed[len(folder) :] or "."
    return slashed.removeprefix("./") or "."


def uri(path: str, base: str | None) -> str:
    """A URI reference (RFC 3986): relative where the path is, `file:` otherwise. Bytes that are no UTF-8 are percent-encoded."""
    slashed = relative(path, base)
    quoted = quote(slashed.encode("utf-8", "surrogateescape" if _escapes_only(slashed) else "surrogatepass"), safe="/!-._~")
    if slashed.startswith("/"):
        return "file://" + ("" if not slashed.startswith("//") else "/") + quoted
    return "file:///" + quoted if slashed[1:3] == ":/" else quoted


def _escapes_only(text: str) -> bool:
    return all(not 0xD800 <= ord(character) <= 0xDFFF or 0xDC80 <= ord(character) <= 0xDCFF for character in text)
