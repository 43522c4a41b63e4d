"""Which formats are containers, and who opens them. A further format is one line here and a module beside this one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from csv_gate.containers.unread import UNREAD, unread

if TYPE_CHECKING:
    from csv_gate.containers.budget import Budget
    from csv_gate.containers.member import Item, Opener, View


def _in(module: str, function: str) -> Opener:
    """An opener whose module is imported when a container of its kind is met."""

    def open(data: View, name: str, budget: Budget) -> Iterator[Item]:
        opener: Opener = getattr(import_module(f"csv_gate.containers.{module}"), function)
        return opener(data, name, budget)

    return open


def _compressed(format: str) -> Opener:
    def open(data: View, name: str, budget: Budget) -> Iterator[Item]:
        from csv_gate.containers.compressed import compressed

        return compressed(format)(data, name, budget)

    return open


OPENERS: Mapping[str, Opener] = MappingProxyType(
    {
        "zip": _in("zip", "open_zip"),
        "apk": _in("zip", "open_zip"),
        "appx": _in("zip", "open_zip"),
        "jar": _in("zip", "open_zip"),
        "nupkg": _in("zip", "open_zip"),
        "vsix": _in("zip", "open_zip"),
        "xap": _in("xap", "open_xap"),
        "tar": _in("tar", "open_tar"),
        "gzip": _compressed("gzip"),
        "xz": _compressed("xz"),
        "bzip2": _compressed("bzip2"),
        "lzma": _compressed("lzma"),
        "zstd": _compressed("zstd"),
        "deb": _in("deb", "open_deb"),
        "rpm": _in("rpm", "open_rpm"),
        "cpio": _in("cpio", "open_cpio"),
        "7z": _in("seven_zip", "open_seven_zip"),
        "cab": _in("cab", "open_cab"),
        "msi": _in("msi", "open_msi"),
        "msp": _in("msi", "open_patch"),
        "mst": _in("msi", "open_patch"),
        **{format: unread(format) for format in UNREAD},
    }
)
"""Format, as `csv_gate.formats` names it -> opener."""
