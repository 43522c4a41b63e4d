"""Which scenario judges an artifact, or which host, or nothing at all.

PE images are judged by the kernel's loader: drivers under scenario 131, all else under 12, whatever the file's extension. EFI
applications are Secure Boot's affair. Scripts, installers and packages are enforced by their hosts; what has no enlightened host is
not controlled, which is not the same as allowed.

Sources: App Control docs, "App Control and .NET", "Script enforcement with App Control", "App Control feature availability".
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType

from csv_gate.engine.appcontrol.truth import CONTEXT, FACT, NOT_SPECIFIED, Doubt
from csv_gate.model.appcontrol import KERNEL_SCENARIO, USER_SCENARIO
from csv_gate.model.context import AppControlContext, CodeMode
from csv_gate.model.facts import FactName, Facts, PeFacts
from csv_gate.records import dataclass

UNREADABLE = "CSV801"


class HostRule(StrEnum):
    """What a host does with a file that the policy does not allow."""

    BLOCKS = "blocks"
    CONSTRAINS = "constrains"
    ALWAYS_BLOCKS = "always_blocks"
    """Blocked wherever script enforcement is on, whatever the policy's rules and mode say."""
    UNKNOWN = "unknown"
    """Whether it asks at all is not published: it may still be allowed, it is not denied for sure."""
    UNREAD = "unread"
    """Its digests and signatures are not among the facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Who asks the policy in place of the loader."""

    name: str
    rule: HostRule
    consequence: str = ""


PACKAGES = Host(name="packaged app deployment", rule=HostRule.BLOCKS, consequence="Windows does not deploy or start it")
_INSTALLER = Host(name="Windows Installer", rule=HostRule.BLOCKS, consequence="Windows Installer refuses it")
_WSH = Host(name="Windows Script Host", rule=HostRule.BLOCKS, consequence="Windows Script Host does not run it")

SCRIPT_HOSTS = MappingProxyType(
    {
        "powershell": Host(
            name="PowerShell",
            rule=HostRule.CONSTRAINS,
            consequence="PowerShell runs it in ConstrainedLanguage mode, where most scripts that do more than call commands fail",
        ),
        "powershell_xml": Host(name="PowerShell", rule=HostRule.UNKNOWN),
        "vbscript": _WSH,
        "jscript": _WSH,
        "wsf": _WSH,
        "encoded_script": Host(name="Windows Script Host", rule=HostRule.UNREAD),
        "hta": Host(name="mshta", rule=HostRule.ALWAYS_BLOCKS, consequence="mshta runs nothing where script enforcement is on"),
        "msi": _INSTALLER,
        "msp": _INSTALLER,
        "mst": _INSTALLER,
        "appx": PACKAGES,
        "msix": PACKAGES,
        "p7x": PACKAGES,
    }
)
"""Formats that a host enforces. Every other format is controlled by nobody, which is not the same as allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How to judge an artifact: the scenarios to try, or why none is."""

    kernel_modes: tuple[bool, ...] = ()
    """True: scenario 131. Two entries: it could be either."""
    host: Host | None = None
    not_governed: str | None = None
    doubt: Doubt | None = None


_KERNEL = Route(kernel_modes=(True,))
_USER = Route(kernel_modes=(False,))
_EITHER = Route(kernel_modes=(True, False))


def route(facts: Facts, context: AppControlContext) -> Route:
    """Choose by the context's word first, then by the PE header."""
    if facts.gaps and (gap := facts.gap(FactName.CONTENT)) is not None and gap.what is FactName.CONTENT:
        return Route(doubt=Doubt(check=UNREADABLE, what=f"the artifact could not be read: {gap.why}"))
    if facts.format != "pe":
        return _by_format(facts)
    told = context.code_mode
    if facts.pe is not None and facts.pe.is_efi and told is None:
        return _firmware(facts.pe)
    gap = facts.gap(FactName.PE) if facts.gaps else None
    if facts.pe is None or gap is not None:
        # Not even a told scenario helps: it may be an EFI application, or an image that Windows does not load at all.
        why = gap.why if gap else "its PE header was not read"
        return Route(doubt=Doubt(check=FACT, what=f"whether it is kernel or user-mode code ({why})"))
    if told is None:
        return _by_header(facts.pe)
    return _KERNEL if told is CodeMode.KERNEL else _USER


def _firmware(pe: PeFacts) -> Route:
    """Mapping a library asks nothing of its subsystem, so what Windows could use as one is not waved through for that field alone."""
    if pe.is_dll or pe.is_dotnet or pe.imports_kernel is not False:
        return Route(doubt=EFI_OR_CODE)
    return Route(not_governed="an EFI application is judged by Secure Boot, not by App Control")


def judging_scenarios(facts: Facts, context: AppControlContext) -> tuple[int, ...]:
    """The signing scenarios that judge an artifact, 131 before 12; none where no scenario does, or it is not known which."""
    return tuple(KERNEL_SCENARIO if kernel else USER_SCENARIO for kernel in route(facts, context).kernel_modes)


def _by_header(pe: PeFacts) -> Route:
    """Unread imports may hold ntdll.dll, which makes a native image a user-mode program, or the kernel, which makes any image a driver."""
    if pe.imports_kernel is None:
        return _EITHER
    if pe.is_driver:
        return _KERNEL
    return _EITHER if pe.imports_kernel else _USER


def _by_format(facts: Facts) -> Route:
    if facts.format == "dos_mz":
        what = "what Windows makes of a file with a DOS header that is no PE image"
        return Route(doubt=Doubt(check=NOT_SPECIFIED, what=what))
    host = SCRIPT_HOSTS.get(facts.format)
    if host is not None:
        return Route(host=host)
    if facts.format == "ole" and (gap := facts.gap(FactName.SIGNATURES, FactName.AUTHENTICODE)) is not None:
        return Route(doubt=Doubt(check=FACT, what=f"whether it is an installer package ({gap.why})"))
    return Route(not_governed=f"not controlled: no App Control host enforces anything on this kind of file ({facts.format})")


EFI_OR_CODE = Doubt(
    check=CONTEXT,
    what="whether Windows loads it as code (`code_mode`): its subsystem is EFI's, but it is marked as a library, is a .NET image, or "
    "has imports that no EFI application has",
)
KERNEL_OR_USER = Doubt(
    check=CONTEXT,
    what="whether it runs in kernel or user mode (`code_mode`): it imports the kernel, or its imports cannot be read, and the "
    "scenarios differ",
)
