"""From files to a `Config`: discovery, `extends`, and every fault of all of them at once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as MappingType
from collections.abc import Sequence as SequenceType
from pathlib import Path
from types import MappingProxyType

from csv_gate.config.model import CONFIG_VERSION, Config
from csv_gate.config.precedence import from_environment, from_flags
from csv_gate.documents import Mapping, Node, Origins, Scalar, Sequence, read_typed, read_yaml
from csv_gate.errors import ConfigError, ConfigErrors, Place
from csv_gate.records import dataclass, field

FILE_NAME = "csv-gate.yaml"
MAX_FILES = 32
"""Files that one configuration may be put together from."""


_NOTHING: MappingType[str, str] = MappingProxyType({})
_HERE = Place(path="default")
_BARE = Mapping(
    entries=((Scalar(text="version", kind="str", place=_HERE), Scalar(text=str(CONFIG_VERSION), kind="int", place=_HERE)),),
    place=_HERE,
)
"""What holds where there is no file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedConfig:
    """A configuration and where each of its values is written."""

    config: Config
    path: Path | None
    """`None`: there is no file, all is default."""
    sha256: str | None = None
    """Over the bytes of all files, in the order of reading."""
    origins: MappingType[str, Place] = field(default_factory=dict)
    """Dotted key -> where it is written; a key that is not here has its default."""


def find_config(start: Path) -> Path | None:
    """The nearest `csv-gate.yaml`, looking from `start` upwards to the root of the repository (where `.git` is) and no farther.

    Outside a repository only `start` itself is looked at, so that a stray file in a home folder rules nobody.
    """
    folder = start.resolve()
    folder = folder.parent if folder.is_file() else folder
    chain = [folder, *folder.parents]
    root = next((index for index, place in enumerate(chain) if (place / ".git").exists()), 0)
    return next((place / FILE_NAME for place in chain[: root + 1] if (place / FILE_NAME).is_file()), None)


def load_config(
    path: Path | None,
    *,
    environment: MappingType[str, str] = _NOTHING,
    flags: MappingType[str, str | SequenceType[str]] = _NOTHING,
) -> LoadedConfig:
    """Read a configuration and what it extends; lay `CSV_GATE_*` of `environment` over it, and `flags` over that.

    `flags`: key of the configuration (`fail_on`) -> what stands behind the flag. Without a path all is default.

    Raises:
        ConfigErrors: every fault, each with file, line, column, got and expected.
    """
    loading = _Loading()
    try:
        document = _BARE if path is None else loading.merged(path, ())
        document = merge(merge(document, from_environment(environment)), from_flags(flags))
    except ConfigErrors:
        raise
    except ConfigError as error:
        raise ConfigErrors([error]) from error
    origins: Origins = {}
    config = read_typed(Config, document, origins)
    sha256 = None if path is None else loading.hash.hexdigest()
    return LoadedConfig(config=config, path=path, sha256=sha256, origins=origins)


class _Loading:
    """Reads files and puts them together; bounded in number."""

    def __init__(self) -> None:
        self.hash = hashlib.sha256()
        self._files = 0

    def merged(self, path: Path, stack: tuple[Path, ...]) -> Mapping:
        """The file's mapping with what it extends beneath it. The stack's length is bounded by MAX_FILES."""
        self._files += 1
        if self._files > MAX_FILES:
            raise ConfigError("too many files are extended", place=Place(path=str(path)), expected=f"at most {MAX_FILES}")
        node = self._read(path)
        stack = (*stack, path.resolve())
        base: Mapping | None = None
        for name in _extended(node):
            other = path.parent / name.text
            if other.resolve() in stack:
                raise ConfigError("`extends` goes round in a circle", place=name.place, got=name.text)
            if not other.is_file():
                raise ConfigError("the file to extend is not there", place=name.place, got=str(other))
            part = self.merged(other, stack)
            base = part if base is None else merge(base, part)
        return node if base is None else merge(base, node)

    def _read(self, path: Path) -> Mapping:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"the file can't be read: {error.strerror}", place=Place(path=str(path))) from error
        self.hash.update(len(data).to_bytes(8, "big") + data)
        node = read_yaml(data, str(path))
        if not isinstance(node, Mapping):
            raise ConfigError("wrong value", place=node.place, got="no mapping", expected="a mapping of settings")
        return node


def _extended(node: Mapping) -> tuple[Scalar, ...]:
    """The names under `extends`; what is no text there is left to the typed reading, which refuses it."""
    value = node.get("extends")
    items = value.items if isinstance(value, Sequence) else () if value is None else (value,)
    return tuple(item for item in items if isinstance(item, Scalar) and item.kind == "str" and item.text)


def merge(base: Mapping, over: Mapping) -> Mapping:
    """Mappings merge key by key, anything else is replaced by `over`. Depth is bounded by the reader."""
    entries: dict[str, tuple[Scalar, Node]] = {key.text: (key, value) for key, value in base.entries}
    for key, value in over.entries:
        below = entries.get(key.text, (key, None))[1]
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        entries[key.text] = (key, merge(below, value) if both else value)  # type: ignore[arg-type]
    return Mapping(entries=tuple(entries.values()), place=over.place)
