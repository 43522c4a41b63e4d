"""Which formats are containers, and who opens them. A further format is one line here and a module beside this one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from csv_gate.containers.cab import open_cab
from csv_gate.containers.compressed import compressed
from csv_gate.containers.cpio import open_cpio
from csv_gate.containers.deb import open_deb
from csv_gate.containers.member import Opener
from csv_gate.containers.msi import open_msi, open_patch
from csv_gate.containers.rpm import open_rpm
from csv_gate.containers.tar import open_tar
from csv_gate.containers.unread import UNREAD, unread
from csv_gate.containers.zip import open_zip

OPENERS: Mapping[str, Opener] = MappingProxyType(
    {
        "zip": open_zip,
        "appx": open_zip,
        "jar": open_zip,
        "nupkg": open_zip,
        "vsix": open_zip,
        "tar": open_tar,
        "gzip": compressed("gzip"),
        "xz": compressed("xz"),
        "bzip2": compressed("bzip2"),
        "zstd": compressed("zstd"),
        "lzma": compressed("lzma"),
        "deb": open_deb,
        "rpm": open_rpm,
        "cpio": open_cpio,
        "cab": open_cab,
        "msi": open_msi,
        "msp": open_patch,
        "mst": open_patch,
        **{format: unread(format) for format in UNREAD},
    }
)
"""Format, as `csv_gate.formats` names it -> opener."""
