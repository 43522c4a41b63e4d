import os
import stat
from pathlib import Path
from typing import TextIO

import pytest

from csv_gate.cli.outputs import Output, check_writable, parse_outputs, write_files
from csv_gate.errors import OutputError, UsageError
from csv_gate.report import FORMATS


def outputs(*asked: str) -> tuple[Output, ...]:
    return parse_outputs(asked, FORMATS)


def hello(format: str, stream: TextIO) -> None:
    stream.write(f"{format} ü\n")


def test_text_goes_to_stdout_unless_something_else_does() -> None:
    assert outputs() == (Output(format="text", path="-"),)
    assert outputs("json=r.json") == (Output(format="json", path="r.json"), Output(format="text", path="-"))
    assert outputs("json") == outputs("json=-") == (Output(format="json", path="-"),)


def test_a_file_name_may_hold_an_equals_sign() -> None:
    assert outputs("json=a=b")[0].path == "a=b"


@pytest.mark.parametrize(
    "asked",
    [("jsn",), ("json=",), ("json", "junit"), ("json=r", "junit=./r")],
    ids=["unknown", "no name", "stdout twice", "file twice"],
)
def test_what_cannot_be_meant_is_a_usage_error(asked: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        outputs(*asked)


def test_checking_leaves_nothing_behind_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("old")
    check_writable(outputs(f"json={tmp_path}/old.json", f"junit={tmp_path}/new.xml"))
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old.json", "old")]


def test_a_file_is_written_in_utf8_with_plain_line_ends(tmp_path: Path) -> None:
    write_files(outputs(f"json={tmp_path}/r.json"), hello)
    assert (tmp_path / "r.json").read_bytes() == "json ü\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def test_a_new_file_has_ordinary_permissions_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    (tmp_path / "old").touch()
    (tmp_path / "old").chmod(0o640)
    mask = os.umask(0o022)
    try:
        write_files(outputs(f"json={tmp_path}/new", f"junit={tmp_path}/old"), hello)
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_files(outputs(f"json={tmp_path}/link"), hello)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text(encoding="utf-8") == "json ü\n"


def test_a_device_is_written_to_and_not_replaced() -> None:
    check_writable(outputs("json=/dev/null"))
    write_files(outputs("json=/dev/null"), hello)
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_renderer_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def failing(format: str, stream: TextIO) -> None:
        stream.write("half")
        if format == "junit":
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_files(outputs(f"json={tmp_path}/r.json", f"junit={tmp_path}/r.xml"), failing)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_output_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", denied)
    with pytest.raises(OutputError) as caught:
        check_writable(outputs(f"json={tmp_path}/r.json"))
    assert caught.value.got == "Permission denied"


def test_a_lone_surrogate_does_not_break_a_file(tmp_path: Path) -> None:
    def odd(format: str, stream: TextIO) -> None:
        stream.write("\udcff")

    write_files(outputs(f"json={tmp_path}/r.json"), odd)
    assert (tmp_path / "r.json").read_bytes() == b"\\udcff"
