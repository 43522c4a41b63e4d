"""File formats: attacker-controlled bytes to facts.

`detect_format` names what a file is by its first bytes, `extract` reads everything that a verdict may rest on. PE images, security
catalogs, signable scripts, installer packages, cabinets and ELF files are read in full; of every other format only the flat digest is
taken, and its name says that nothing more was.
"""

from __future__ import annotations

from csv_gate.formats.detect import HEAD_BYTES, detect_format, is_tar
from csv_gate.formats.extract import extract
from csv_gate.formats.identify import UNSETTLED, identify, settle
from csv_gate.formats.packages import PACKAGES
from csv_gate.formats.settings import ExtractionSettings

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
