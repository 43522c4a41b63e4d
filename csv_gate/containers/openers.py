"""Which formats are containers, and who opens them. A further format is one line here and a module beside this one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from csv_gate.containers.compressed import compressed
from csv_gate.containers.deb import open_deb
from csv_gate.containers.member import Opener
from csv_gate.containers.tar import open_tar
from csv_gate.containers.xap import open_xap
from csv_gate.containers.zip import open_zip

OPENERS: Mapping[str, Opener] = MappingProxyType(
    {
        "zip": open_zip,
        "apk": open_zip,
        "appx": open_zip,
        "jar": open_zip,
        "nupkg": open_zip,
        "vsix": open_zip,
        "xap": open_xap,
        "tar": open_tar,
        "gzip": compressed("gzip"),
        "xz": compressed("xz"),
        "bzip2": compressed("bzip2"),
        "zstd": compressed("zstd"),
        "deb": open_deb,
    }
)
"""Format, as `csv_gate.formats` names it -> opener."""
