"""`-o FORMAT[=FILE]`: where reports go. A report file is written whole or not at all.

A file that cannot be written is found before the work starts: nobody waits ten minutes for a typing error.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from csv_gate.errors import OutputError, Place, UsageError
from csv_gate.records import dataclass

STDOUT = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One report."""

    format: str
    path: str
    """`-`: stdout."""

    @property
    def is_stdout(self) -> bool:
        return self.path == STDOUT


def parse_outputs(asked: Sequence[str], formats: Mapping[str, object]) -> tuple[Output, ...]:
    """Read the values of `-o`. Where none of them takes stdout, `text` goes there.

    Raises:
        UsageError: an unknown format, two reports for one file or for stdout.
    """
    outputs = []
    for value in asked:
        name, has_file, path = value.partition("=")
        if name not in formats:
            raise UsageError("there is no such report format", got=name, expected=", ".join(formats))
        if has_file and not path:
            raise UsageError(
                "the report has no file name", got=f"-o {value}", expected=f"-o {name}=FILE, or -o {name} for stdout"
            )
        outputs.append(Output(format=name, path=path or STDOUT))
    places = [output.path if output.is_stdout else os.path.realpath(output.path) for output in outputs]
    for output, place in zip(outputs, places, strict=True):
        if places.count(place) > 1:
            where = "stdout" if output.is_stdout else output.path
            raise UsageError("two reports go to one place", got=where, expected="a place for each: -o FORMAT=FILE")
    if STDOUT not in places:
        outputs.append(Output(format="text", path=STDOUT))
    return tuple(outputs)


def attachments_of(outputs: Sequence[Output]) -> tuple[str, ...]:
    """The reports that a failed test case may link to, as absolute paths."""
    return tuple(
        str(Path(output.path).absolute()) for output in outputs if output.format in ("html", "json") and not output.is_stdout
    )


def check_writable(outputs: Sequence[Output]) -> None:
    """Try whether each file can be written, without leaving anything behind.

    Raises:
        OutputError: one cannot.
    """
    for output in outputs:
        if output.is_stdout or _is_special(output.path):
            continue
        target = Path(os.path.realpath(output.path))
        if target.is_dir():
            raise OutputError(
                "the report cannot be written", place=Place(path=output.path), got="a folder", expected="a file name"
            )
        with _failing_as_output_error(output.path):
            descriptor, name = _temporary(target)
            os.close(descriptor)
            os.unlink(name)  # noqa: PTH108


def write_files(outputs: Sequence[Output], render: Callable[[str, TextIO], None]) -> None:
    """Render every report that goes to a file, then put all of them in their places.

    `render(format, stream)` may raise: then no report appears or changes, as if it had not been tried.

    Raises:
        OutputError: a file cannot be written.
    """
    ready: list[tuple[str, Path, Output]] = []
    try:
        for output in outputs:
            if output.is_stdout:
                continue
            if _is_special(output.path):
                with _failing_as_output_error(output.path), open(output.path, "w", encoding="utf-8", newline="\n") as stream:  # noqa: PTH123
                    render(output.format, stream)
                continue
            target = Path(os.path.realpath(output.path))  # a link stays a link
            with _failing_as_output_error(output.path):
                descriptor, name = _temporary(target)
                ready.append((name, target, output))
                with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
                    render(output.format, stream)
                # Whole even if this process is killed. That it is on the disk is not waited for, which can take as long as the run:
                # who loses power runs the gate again.
                os.chmod(name, _mode(target))  # noqa: PTH101
        while ready:
            name, target, output = ready[0]
            with _failing_as_output_error(output.path):
                os.replace(name, target)  # noqa: PTH105
            ready.pop(0)
    finally:
        for name, _, _ in ready:
            with suppress(OSError):
                os.unlink(name)  # noqa: PTH108


def write_whole(path: str, data: bytes) -> None:
    """Put `data` at `path` in one step: the file is whole, or as it was.

    Raises:
        OutputError: it cannot be written.
    """
    if _is_special(path):
        with _failing_as_output_error(path):
            Path(path).write_bytes(data)
        return
    target = Path(os.path.realpath(path))
    with _failing_as_output_error(path):
        descriptor, name = _temporary(target)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(name, _mode(target))  # noqa: PTH101
            os.replace(name, target)  # noqa: PTH105
        except BaseException:
            with suppress(OSError):
                os.unlink(name)  # noqa: PTH108
            raise


@contextmanager
def _failing_as_output_error(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            "the report cannot be written",
            place=Place(path=path),
            got=error.strerror or type(error).__name__,
            expected="a file in a folder that exists and can be written",
        ) from error


def _temporary(target: Path) -> tuple[int, str]:
    """A new file beside the target, for this user alone: only within one file system is putting it in place one step.

    As `tempfile.mkstemp`, which brings four modules of compression into every run.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    while True:
        name = str(target.parent / f".{target.name[:64]}.{os.urandom(6).hex()}.tmp")
        with suppress(FileExistsError):
            return os.open(name, flags, 0o600), name


def _is_special(path: str) -> bool:
    """Whether something that is no regular file stands there: a pipe, a terminal, /dev/null. It is written to directly."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _mode(target: Path) -> int:
    """The permissions of the file that is replaced, else what a new file would get."""
    with suppress(OSError):
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
