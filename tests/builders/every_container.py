"""Every kind of container that is opened: file name -> builder. Members have the paths that were given."""

from __future__ import annotations

from collections.abc import Callable

from tests.builders.cabinets import cab, lzx_cab
from tests.builders.containers import KINDS, Files, seven_zip_of
from tests.builders.rpm import cpio_of, rpm

EVERY_KIND: dict[str, Callable[[Files], bytes]] = {
    **KINDS,
    "app.7z": seven_zip_of,
    "app.cab": cab,
    "lzx.cab": lzx_cab,
    "app.rpm": rpm,
    "app.cpio": cpio_of,
}
