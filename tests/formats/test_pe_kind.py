import pytest

from csv_gate.formats.pe_kind import check_checksum, read_kind
from csv_gate.formats.pe_layout import PeLayout, read_layout
from csv_gate.limits import DEFAULT_LIMITS
from csv_gate.model.facts import PeFacts
from csv_gate.model.problems import ProblemCode
from tests.builders.pe import ARM64, EFI, GUI, NATIVE, X86, certificate, pe


def _layout(data: bytes) -> PeLayout:
    layout = read_layout(memoryview(data), DEFAULT_LIMITS)
    assert isinstance(layout, PeLayout)
    return layout


def _kind(data: bytes) -> PeFacts:
    return read_kind(memoryview(data), _layout(data))


def test_header_facts_are_named() -> None:
    facts = _kind(pe(machine=ARM64, subsystem=GUI, is_dll=True, is_dotnet=True, dll_characteristics=0x0080))
    assert (facts.machine, facts.subsystem) == ("arm64", "windows_gui")
    assert facts.is_dll
    assert facts.is_dotnet
    assert facts.force_integrity
    assert not facts.is_efi


@pytest.mark.parametrize(
    ("subsystem", "imports", "is_driver", "imports_kernel"),
    [
        (NATIVE, ["ntoskrnl.exe", "HAL.dll"], True, True),
        (NATIVE, ["FLTMGR.SYS"], True, True),
        (NATIVE, [], True, False),
        (NATIVE, ["ntdll.dll"], False, False),
        (GUI, ["ntoskrnl.exe"], False, True),
        (GUI, ["KERNEL32.dll"], False, False),
    ],
)
def test_a_driver_is_native_and_imports_nothing_of_user_mode(
    subsystem: int, imports: list[str], is_driver: bool, imports_kernel: bool
) -> None:
    facts = _kind(pe(subsystem=subsystem, imports=imports))
    assert (facts.is_driver, facts.imports_kernel) == (is_driver, imports_kernel)


def test_an_unreadable_import_table_leaves_open_what_is_imported() -> None:
    assert _kind(pe(import_rva=0x7000_0000)).imports_kernel is None


def test_firmware_is_told_by_its_subsystem() -> None:
    facts = _kind(pe(subsystem=EFI))
    assert facts.is_efi
    assert facts.subsystem == "efi_application"


def test_unknown_numbers_are_shown_as_numbers() -> None:
    facts = _kind(pe(machine=0xBEEF, subsystem=77))
    assert (facts.machine, facts.subsystem) == ("0xbeef", "0x004d")


@pytest.mark.parametrize("overlay", [b"", b"odd", b"\xff" * 70000])
def test_a_right_checksum_is_recognised(overlay: bytes) -> None:
    data = pe(machine=X86, plus=False, checksum=None, overlay=overlay)
    assert check_checksum(memoryview(data), _layout(data)) is None


def test_the_checksum_covers_the_certificate_table() -> None:
    data = pe(checksum=None, table=certificate(b"\x30\x00"))
    changed = data[:-1] + b"\x01"
    assert check_checksum(memoryview(data), _layout(data)) is None
    problem = check_checksum(memoryview(changed), _layout(changed))
    assert problem is not None
    assert problem.code is ProblemCode.PE_CHECKSUM_WRONG
