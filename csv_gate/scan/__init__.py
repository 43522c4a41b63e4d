"""Scan: from given paths to the list of files to look at, and from one of them to its bytes.

The only room that lists folders and opens artifacts. It judges nothing; what it cannot read it says as a gap, what it leaves out
it says as a finding.
"""

from __future__ import annotations

from csv_gate.scan.pieces import piece_buffer, read_pieces
from csv_gate.scan.reading import Content, Entry, FileIdentity, open_content, open_parts, read_head
from csv_gate.scan.walk import Walk, unused_patterns, walk

__all__ = [
    "Content",
    "Entry",
    "FileIdentity",
    "Walk",
    "open_content",
    "open_parts",
    "piece_buffer",
    "read_head",
    "read_pieces",
    "unused_patterns",
    "walk",
]
