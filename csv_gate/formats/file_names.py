"""What a file's name says of its content, where the content says nothing itself: of plain text, which host would run it.

Hosts on Windows go by the extension. A name never overrides what the bytes show to be something else.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

FORMAT_OF_EXTENSION: Final = MappingProxyType(
    {
        "ps1": "powershell",
        "psm1": "powershell",
        "psd1": "powershell",
        "ps1xml": "powershell_xml",
        "psc1": "powershell_xml",
        "cdxml": "powershell_xml",
        "mof": "mof",
        "vbs": "vbscript",
        "js": "jscript",
        "wsf": "wsf",
        "vbe": "encoded_script",
        "jse": "encoded_script",
        "hta": "hta",
        "bat": "batch",
        "cmd": "batch",
        "py": "python",
        "pyw": "python",
        "sh": "shell",
        "pl": "perl",
        "rb": "ruby",
    }
)
"""Extension in lower case -> format of a text file of that name."""


def format_of_name(name: str | None) -> str | None:
    """The format that a text file's name hints at. `name` is attacker-controlled."""
    if not name:
        return None
    base = name.replace("\\", "/").rpartition("/")[2].rstrip(" .")
    return FORMAT_OF_EXTENSION.get(base.rpartition(".")[2].lower()) if "." in base else None
