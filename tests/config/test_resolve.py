from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csv_gate.config import Target, context_for, load_config, read_trusted_roots, trusted_root_files
from csv_gate.errors import ConfigError
from csv_gate.model.context import AppControlContext, CodeMode, Mode

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def target(folder: Path, body: str) -> Target:
    (folder / "csv-gate.yaml").write_text("version: 1\ntargets:\n  prod:\n    policies: p.xml\n" + body)
    return load_config(folder / "csv-gate.yaml").config.targets["prod"]


def context(of: Target, path: str, *, mode: Mode | None = None) -> AppControlContext:
    return context_for(of, path, evaluated_at=NOW, mode=mode)


def test_a_target_that_tells_nothing_gives_the_cautious_context(tmp_path: Path) -> None:
    assert context(target(tmp_path, ""), "a.dll") == AppControlContext(evaluated_at=NOW)


INSTALL = r"""
    install_paths:
      - {from: dist, to: 'C:\Program Files\App', user_writable: false}
      - {from: dist/plugins/, to: '%OSDRIVE%\App\Plugins\', user_writable: true}
      - {from: tool.exe, to: 'C:\Tools\tool.exe'}
      - {from: dist, to: 'D:\never'}
      - {from: lone.exe, to: 'C:\Tools\'}
"""


@pytest.mark.parametrize(
    ("path", "expected", "writable"),
    [
        ("dist/a.dll", r"C:\Program Files\App\a.dll", False),
        ("dist/sub/a.dll", r"C:\Program Files\App\sub\a.dll", False),
        ("dist/plugins/p.dll", r"%OSDRIVE%\App\Plugins\p.dll", True),
        ("distant/a.dll", None, None),
        ("tool.exe", r"C:\Tools\tool.exe", None),
        ("dist/a\\..\\..\\b.dll", None, False),
        ("dist/../a.dll", None, False),
        ("dist/a:stream.dll", None, False),
        ("dist/setup.msi!/a.dll", None, False),
        ("dist/a.dll.", None, False),
        ("dist/a.dll ", None, False),
        ("dist/LONGNA~1.dll", None, False),
        ("dist/a\x01.dll", None, False),
        ("lone.exe", r"C:\Tools\lone.exe", None),
    ],
)
def test_the_longest_install_path_wins(tmp_path: Path, path: str, expected: str | None, writable: bool | None) -> None:
    found = context(target(tmp_path, INSTALL), path)
    assert (found.install_path, found.is_user_writable) == (expected, writable)


def test_the_whole_tree_can_be_mapped(tmp_path: Path) -> None:
    of = target(tmp_path, "    install_paths: [{from: ., to: 'C:\\App'}]\n")
    assert context(of, "x/a.dll").install_path == r"C:\App\x\a.dll"


@given(path=st.text(min_size=1, max_size=40))
def test_no_path_leaves_the_folder_that_it_is_mapped_to(tmp_path_factory: pytest.TempPathFactory, path: str) -> None:
    of = target(tmp_path_factory.mktemp("t"), "    install_paths: [{from: ., to: 'C:\\App'}]\n")
    install_path = context(of, path).install_path
    if install_path is not None:
        names = install_path.split("\\")
        assert names[:2] == ["C:", "App"]
        assert ".." not in names
        assert len(names) == 2 + len([name for name in path.strip("/").split("/") if path.strip("/")])


def test_the_last_matching_code_mode_wins(tmp_path: Path) -> None:
    of = target(tmp_path, "    code_mode:\n      - {paths: '*.sys', mode: kernel}\n      - {paths: tools/, mode: user}\n")
    assert context(of, "drv/a.sys").code_mode is CodeMode.KERNEL
    assert context(of, "tools/a.sys").code_mode is CodeMode.USER
    assert context(of, "a.dll").code_mode is None


OVERRIDES = """
    mode: policy
    context: {{os_build: 22631, flight_signing: false, revoked: {}}}
    overrides:
      - {{paths: beta/, mode: enforce, context: {{flight_signing: true}}}}
      - {{paths: beta/old/, context: {{os_build: 19045, revoked: {}}}, install_path: 'C:\\x.dll', user_writable: true}}
""".format("AA" * 32, "bb" * 32)


def test_overrides_lie_over_the_target_in_order_value_by_value(tmp_path: Path) -> None:
    of = target(tmp_path, OVERRIDES)
    plain, beta, old = (context(of, path) for path in ("a.dll", "beta/a.dll", "beta/old/a.dll"))
    assert (plain.mode, plain.os_build, plain.flight_signing) == (Mode.POLICY, 22631, False)
    assert (beta.mode, beta.os_build, beta.flight_signing) == (Mode.ENFORCE, 22631, True)
    assert (old.mode, old.os_build, old.flight_signing) == (Mode.ENFORCE, 19045, True)
    assert (old.install_path, old.is_user_writable) == ("C:\\x.dll", True)


def test_an_override_never_takes_a_revocation_back(tmp_path: Path) -> None:
    of = target(tmp_path, OVERRIDES)
    assert context(of, "a.dll").revoked_sha256 == {"aa" * 32}
    assert context(of, "beta/old/a.dll").revoked_sha256 == {"aa" * 32, "bb" * 32}


def test_the_command_lines_mode_wins_over_everything(tmp_path: Path) -> None:
    assert context(target(tmp_path, OVERRIDES), "a.dll", mode=Mode.ENFORCE).mode is Mode.ENFORCE


def test_trusted_roots_come_from_the_files_that_targets_name(tmp_path: Path) -> None:
    of = target(tmp_path, "    context: {trusted_roots: roots.txt}\n")
    assert trusted_root_files([of]) == {tmp_path / "roots.txt"}
    (tmp_path / "roots.txt").write_text("# programme\n" + "AB" * 32 + "  # one\n\n")
    roots = {path: read_trusted_roots(path) for path in trusted_root_files([of])}
    assert context_for(of, "a", evaluated_at=NOW, trusted_roots=roots).trusted_roots_sha256 == frozenset({"ab" * 32})
    assert context(of, "a").trusted_roots_sha256 is None


def test_trusted_roots_can_be_pem(tmp_path: Path) -> None:
    path = tmp_path / "roots.pem"
    path.write_text(f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(b'der').decode()}\n-----END CERTIFICATE-----\n")
    assert read_trusted_roots(path) == {hashlib.sha256(b"der").hexdigest()}


@pytest.mark.parametrize("text", ["abc", "AB" * 20, "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"])
def test_a_wrong_roots_file_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "roots.txt"
    path.write_text(text)
    with pytest.raises(ConfigError):
        read_trusted_roots(path)
    with pytest.raises(ConfigError, match="can't be read"):
        read_trusted_roots(tmp_path / "none")
