"""File formats: attacker-controlled bytes to facts.

`detect_format` names what a file is by its first bytes, `extract` reads everything that a verdict may rest on. PE images, security
catalogs, signable scripts, installer packages, cabinets and ELF files are read in full; of every other format only the flat digest is
taken, and its name says that nothing more was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from csv_gate.formats.packages import PACKAGES
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.lazy import lazily

if TYPE_CHECKING:
    from csv_gate.formats.detect import HEAD_BYTES, detect_format, is_tar
    from csv_gate.formats.extraction import extract
    from csv_gate.formats.identification import UNSETTLED, identify, settle
else:
    # A run whose facts are all kept looks at no file.
    __getattr__ = lazily(
        __name__,
        {
            "HEAD_BYTES": "detect",
            "UNSETTLED": "identification",
            "detect_format": "detect",
            "extract": "extraction",
            "identify": "identification",
            "is_tar": "detect",
            "settle": "identification",
        },
    )

__all__ = [
    "HEAD_BYTES",
    "PACKAGES",
    "UNSETTLED",
    "ExtractionSettings",
    "detect_format",
    "extract",
    "identify",
    "is_tar",
    "settle",
]
