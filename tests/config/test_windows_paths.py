from __future__ import annotations

import pytest

from csv_gate.config.windows_paths import path_fault


@pytest.mark.parametrize(
    "path",
    [
        "C:\\",
        "c:\\Program Files\\App",
        "C:\\App\\",
        "%OSDRIVE%\\x",
        "%windir%",
        "%SYSTEM32%\\drivers\\a.sys",
        r"\\server\share\x",
        r"\\server\share",
    ],
)
def test_a_path_that_names_one_place_is_taken(path: str) -> None:
    assert path_fault(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "App",
        "\\App",
        "C:App",
        "C:/App",
        "C:\\App/x",
        "C:\\\\App",
        "C:\\a\\..\\b",
        "C:\\a\\.\\b",
        "C:\\App.",
        "C:\\App \\x",
        "C:\\PROGRA~1\\App",
        "C:\\App\\a.dll:stream",
        "C:\\App\\*",
        "%ProgramFiles%\\App",
        "%WINDIR%x\\App",
        "\\\\?\\C:\\App",
        "\\\\.\\C:\\App",
        "C:\\a\nb",
    ],
)
def test_a_path_that_windows_would_rewrite_is_refused(path: str) -> None:
    assert path_fault(path) is not None
