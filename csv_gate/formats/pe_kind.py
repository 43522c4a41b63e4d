"""What kind of code a PE image is: machine, library, driver, .NET, firmware; and its checksum.

Source: "PE Format" (Microsoft Learn): machine types, Windows subsystem, DLL characteristics, import directory table. Whether code
runs in the kernel is not written in a file; native subsystem and imports are what tells.
"""

from __future__ import annotations

import struct
from typing import Final

from csv_gate.formats.pe_layout import PeLayout
from csv_gate.model.facts import PeFacts
from csv_gate.model.problems import Problem, ProblemCode

MACHINES: Final = {
    0x014C: "x86",
    0x8664: "x64",
    0xAA64: "arm64",
    0xA641: "arm64ec",
    0xA64E: "arm64x",
    0x01C0: "arm",
    0x01C2: "thumb",
    0x01C4: "armnt",
    0x0200: "ia64",
    0x0EBC: "ebc",
    0x5032: "riscv32",
    0x5064: "riscv64",
    0x6232: "loongarch32",
    0x6264: "loongarch64",
}
SUBSYSTEMS: Final = {
    0: "unknown",
    1: "native",
    2: "windows_gui",
    3: "windows_cui",
    5: "os2_cui",
    7: "posix_cui",
    8: "native_windows",
    9: "windows_ce_gui",
    10: "efi_application",
    11: "efi_boot_service_driver",
    12: "efi_runtime_driver",
    13: "efi_rom",
    14: "xbox",
    16: "windows_boot_application",
}
_NATIVE: Final = 1
_EFI: Final = frozenset({10, 11, 12, 13})
_IS_DLL: Final = 0x2000
_FORCE_INTEGRITY: Final = 0x0080
_IMPORT_DIRECTORY: Final = 1
_CLR_DIRECTORY: Final = 14
_KERNEL_MODULES: Final = frozenset(
    {
        "ntoskrnl.exe",
        "ntkrnlpa.exe",
        "ntkrnlmp.exe",
        "ntkrpamp.exe",
        "hal.dll",
        "bootvid.dll",
        "kdcom.dll",
        "ci.dll",
        "clfs.sys",
    }
)
"""Beside every `*.sys`."""
_USER_MODULES: Final = frozenset({"ntdll.dll", "kernel32.dll", "kernelbase.dll", "user32.dll", "advapi32.dll", "msvcrt.dll"})
_MAX_IMPORTS: Final = 1024
"""Imported modules looked at; real images have below 100."""
_MAX_MODULE_NAME: Final = 260
_NAME_AND_THUNK = struct.Struct("<II")


def read_kind(view: memoryview, layout: PeLayout) -> PeFacts:
    """The header facts; `overlay_bytes` is left 0 for the caller. Never raises on bad input."""
    modules = imported_modules(view, layout)
    imports_kernel = None if modules is None else any(name in _KERNEL_MODULES or name.endswith(".sys") for name in modules)
    imports_user = modules is not None and any(name in _USER_MODULES for name in modules)
    clr_rva, clr_size = layout.directory(_CLR_DIRECTORY)
    return PeFacts(
        machine=MACHINES.get(layout.machine, f"{layout.machine:#06x}"),
        is_dll=bool(layout.characteristics & _IS_DLL),
        is_driver=layout.subsystem == _NATIVE and not imports_user,
        is_dotnet=bool(clr_rva and clr_size),
        is_efi=layout.subsystem in _EFI,
        subsystem=SUBSYSTEMS.get(layout.subsystem, f"{layout.subsystem:#06x}"),
        imports_kernel=imports_kernel,
        force_integrity=bool(layout.dll_characteristics & _FORCE_INTEGRITY),
    )


def imported_modules(view: memoryview, layout: PeLayout) -> frozenset[str] | None:
    """Lower-case names in the import directory; `None`: there is one, but it cannot be read whole."""
    rva, size = layout.directory(_IMPORT_DIRECTORY)
    if rva == 0 or size == 0:
        return frozenset()
    run = layout.run_at(rva)
    names: set[str] = set()
    for index in range(_MAX_IMPORTS):
        at = None if run is None else run.offset_of(rva + 20 * index, 20)
        if run is None or at is None:
            return None
        name_rva, first_thunk = _NAME_AND_THUNK.unpack_from(view, at + 12)
        if name_rva == 0 or first_thunk == 0:
            return frozenset(names)
        name_at = run.offset_of(name_rva, 1) or layout.offset_of(name_rva, 1)
        if name_at is None:
            return None
        name = bytes(view[name_at : name_at + _MAX_MODULE_NAME]).partition(b"\0")[0]
        names.add(name.decode("ascii", "replace").lower())
    return None


def check_checksum(view: memoryview, layout: PeLayout) -> Problem | None:
    """The optional header's CheckSum, which the boot loader and the driver loader verify.

    It says nothing of tampering. 0 means that the linker set none. Costs about as much as one SHA-256 of the file.
    """
    expected = pe_checksum(view, layout.checksum_offset)
    if layout.checksum == expected:
        return None
    detail = f"CheckSum is {layout.checksum:#x}, the file sums to {expected:#x}"
    return Problem(code=ProblemCode.PE_CHECKSUM_WRONG, detail=detail, offset=layout.checksum_offset)


def pe_checksum(view: memoryview, checksum_offset: int) -> int:
    """ImageHlp's CheckSumMappedFile: ones'-complement sum of the 16-bit words, CheckSum taken as zero, plus the length.

    65536 is 1 modulo 65535, so a chunk read as one long number has the same residue as the sum of its words.
    """
    total = 0
    chunk_bytes = 16 * 1024
    for at in range(0, len(view), chunk_bytes):
        total += int.from_bytes(view[at : at + chunk_bytes], "little")
    field = bytes(checksum_offset % 2) + bytes(view[checksum_offset : checksum_offset + 4])
    total -= int.from_bytes(field, "little")
    folded = total % 0xFFFF
    if folded == 0 and total:
        folded = 0xFFFF
    return folded + len(view)
