"""Windows Installer packages: the cabinets in them, under the names that their files are installed by, and every other stream of content:
programs and scripts that custom actions run (`Binary.NAME`), icons, and the storages of patches and transforms.

Tables are no members. A cabinet that is not embedded is a file beside the package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from csv_gate.containers.budget import Budget
from csv_gate.containers.member import Item, Member, View, slices
from csv_gate.errors import ArtifactError, FormatError
from csv_gate.formats.compound_file import STREAM, CompoundFile, Runs
from csv_gate.formats.msi_tables import TABLE_MARK, InstalledFiles, Tables, installed_files, stream_name

_PROPERTIES: Final = "\x05"
"""Begins the names of the summary, and of the package's own signature."""
_NOTHING: Final = InstalledFiles(names={}, cabinets=())


def open_msi(data: View, name: str, budget: Budget) -> Iterator[Item]:
    """Members of a package. See `Opener`."""
    del name
    yield from _members(data, budget, is_package=True)


def open_patch(data: View, name: str, budget: Budget) -> Iterator[Item]:
    """Members of a patch or transform, whose tables are differences: cabinets keep the names that they have. See `Opener`."""
    del name
    yield from _members(data, budget, is_package=False)


def _members(data: View, budget: Budget, *, is_package: bool) -> Iterator[Item]:
    file = CompoundFile(data, budget.limits)
    tree = file.children()
    paths = {0: ""}
    waiting = [0]
    while waiting:
        storage = waiting.pop()
        streams: dict[str, Runs] = {}
        for number in sorted(tree[storage], key=lambda number: file.entries[number].name):
            entry = file.entries[number]
            if entry.kind == STREAM:
                streams[stream_name(entry.text)] = file.runs(entry)
            else:
                paths[number] = f"{paths[storage]}{stream_name(entry.text)}/"
                budget.check_name(len(paths[number]))
                waiting.append(number)
        yield from _of_storage(file, streams, paths[storage], budget, is_package=is_package and storage == 0)


def _of_storage(
    file: CompoundFile, streams: Mapping[str, Runs], path: str, budget: Budget, *, is_package: bool
) -> Iterator[Item]:
    installed = _installed(file, streams, budget, is_package=is_package)
    for name, runs in streams.items():
        if not name.startswith((TABLE_MARK, _PROPERTIES)) and runs:
            yield Member(
                name=path + name, chunks=partial(_content, file, runs, budget), inner_names=installed.names.get(name, {})
            )
    for cabinet in installed.cabinets:
        if cabinet not in streams:
            yield Member(name=path + cabinet, chunks=_missing)


def _installed(file: CompoundFile, streams: Mapping[str, Runs], budget: Budget, *, is_package: bool) -> InstalledFiles:
    def read(name: str) -> bytes | None:
        return file.read(streams[name], budget.limits.max_installer_table_bytes) if name in streams else None

    try:
        return installed_files(Tables(read))
    except ArtifactError:
        if is_package:
            raise
        return _NOTHING  # a storage need not hold a package


def _content(file: CompoundFile, runs: Runs, budget: Budget) -> Iterator[bytes]:
    for at, length in runs:
        yield from budget.metered(slices(file.view, at, at + length))


def _missing() -> Iterator[bytes]:
    raise FormatError("the package names this cabinet and does not hold it")
