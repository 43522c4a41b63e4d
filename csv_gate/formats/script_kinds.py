"""The kinds of scripts that can carry a signature, and how each writes it.

Windows chooses the reader of a script's signature by the extension of the file's name, not by its content, so the extension counts where
it is known. The GUIDs are those of the subject interfaces, in the byte order in which a signature holds them.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from csv_gate.formats.script_text import BlockStyle
from csv_gate.records import dataclass
from csv_gate.signatures import Subject

_SIP_INFO: Final = "1.3.6.1.4.1.311.2.1.30"
_POWERSHELL: Final = bytes.fromhex("1fcc3b60594b084eb724d2c6297ef351")
_VBSCRIPT: Final = bytes.fromhex("4ef02916 9927b54d 8fe5ace1 0f17ebab")
_JSCRIPT: Final = bytes.fromhex("10e0c906 ce38d411 a2a30010 4bd35090")
_WSF: Final = bytes.fromhex("7005611a ce38d411 a2a30010 4bd35090")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptKind:
    """One way to sign a script."""

    format: str
    style: BlockStyle
    subject: Subject
    is_utf8: bool
    """What a file without byte order mark is read as: UTF-8, else the code page of the machine."""
    has_position: bool = False
    """The digest covers the text on both sides of the block, and where the block stands (Windows Script Host); else the text before
    the block (PowerShell)."""


def _powershell(format: str, open: str, close: str, name: str, *, is_utf8: bool = True) -> ScriptKind:
    return ScriptKind(
        format=format,
        style=BlockStyle(
            begin=f"{open}SIG # Begin signature block{close}",
            end=f"{open}SIG # End signature block{close}",
            prefix=open,
            suffix=close,
        ),
        subject=Subject(data_type=_SIP_INFO, interface=_POWERSHELL, name=name),
        is_utf8=is_utf8,
    )


def _wsh(format: str, style: BlockStyle, interface: bytes, name: str) -> ScriptKind:
    subject = Subject(data_type=_SIP_INFO, interface=interface, name=name)
    return ScriptKind(format=format, style=style, subject=subject, is_utf8=False, has_position=True)


def _wsh_style(prefix: str) -> BlockStyle:
    return BlockStyle(begin=f"{prefix}Begin signature block", end=f"{prefix}End signature block", prefix=prefix)


POWERSHELL: Final = _powershell("powershell", "# ", "", "a PowerShell script")
POWERSHELL_XML: Final = _powershell("powershell_xml", "<!-- ", " -->", "a PowerShell XML file", is_utf8=False)
MOF: Final = _powershell("mof", "/* ", " */", "a managed object file")
VBSCRIPT: Final = _wsh("vbscript", _wsh_style("'' SIG '' "), _VBSCRIPT, "a VBScript")
JSCRIPT: Final = _wsh("jscript", _wsh_style("// SIG // "), _JSCRIPT, "a JScript")
WSF: Final = _wsh(
    "wsf",
    BlockStyle(
        begin="<signature>",
        end="</signature>",
        prefix="** SIG ** ",
        ignored=("** SIG ** Begin signature block", "** SIG ** End signature block"),
    ),
    _WSF,
    "a Windows script file",
)

KINDS: Final = (POWERSHELL, POWERSHELL_XML, MOF, VBSCRIPT, JSCRIPT, WSF)
BY_FORMAT: Final = MappingProxyType({kind.format: kind for kind in KINDS})
