"""Build manifests: from an artifact back to the source it was built from.

Read are the places where a manifest names files:

- CycloneDX JSON (1.4 and up): a component's SHA-256 or file name -> `evidence.occurrences[].location`;
- SPDX 2.x JSON: a file's SHA256 or name -> the file that it is `GENERATED_FROM` (or that `GENERATES` it);
- `*.deps.json` (.NET): files of libraries of type `project` -> the project's name;
- `*.csproj`, `*.vbproj`, `*.fsproj`, `*.vcxproj`: the assembly's name -> the project file.

A project's name becomes a path through the project files. What two projects claim is claimed by none. All content is untrusted.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

from csv_gate.errors import ConfigError, Place
from csv_gate.lazy import regex
from csv_gate.records import dataclass, field

MAX_BYTES = 64 * 1024 * 1024
"""SBOMs of whole images reach 30 MB."""
MAX_CLAIMS = 500_000
PROJECT_SUFFIXES = (".csproj", ".vbproj", ".fsproj", ".vcxproj")
_SHA256 = regex(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A manifest's word on where an artifact comes from."""

    sha256: str | None = None
    output: str | None = None
    """Path or file name of the artifact, as the manifest gives it."""
    source: str | None = None
    """Path in the repository."""
    project: str | None = None
    """Name of a project whose path another claim may know."""
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePath:
    """Where an artifact comes from, and who says so."""

    path: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifests:
    """All manifests together."""

    claims: tuple[Claim, ...] = ()
    _by_digest: Mapping[str, Claim | None] = field(init=False, repr=False, compare=False)
    _by_output: Mapping[str, Claim | None] = field(init=False, repr=False, compare=False)
    _projects: Mapping[str, Claim | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        outputs = [claim for claim in self.claims if claim.output is not None]
        object.__setattr__(self, "_by_digest", _unanimous((c.sha256, c) for c in self.claims if c.sha256))
        object.__setattr__(self, "_by_output", _unanimous((_normal(c.output or ""), c) for c in outputs))
        object.__setattr__(self, "_projects", _unanimous((c.project, c) for c in self.claims if c.project and c.source))

    def source_of(self, path: str, sha256: str | None) -> SourcePath | None:
        """The source of an artifact: by digest, else by path, else by the name of a project that builds a file of that name."""
        claim = self._by_digest.get(sha256) if sha256 else None
        claim = claim or next((found for name in _suffixes(path) if (found := self._by_output.get(name)) is not None), None)
        name = claim.project if claim is not None else posixpath.basename(path).rpartition(".")[0]
        if claim is not None and claim.source is not None:
            return SourcePath(path=claim.source, place=claim.place)
        project = self._projects.get(name or "")
        if project is None or project.source is None:
            return None
        return SourcePath(path=project.source, place=claim.place if claim is not None else project.place)


def _unanimous(pairs: Iterable[tuple[str | None, Claim]]) -> dict[str, Claim | None]:
    """Key -> claim; `None` where claims for one key disagree on the source."""
    found: dict[str, Claim | None] = {}
    for key, claim in pairs:
        if key is None:
            continue
        other = found.get(key, claim)
        agrees = other is not None and (other.source, other.project) == (claim.source, claim.project)
        found[key] = other if agrees else None
    return found


def _normal(path: str) -> str:
    return path.replace("\\", "/").removeprefix("./").lstrip("/")


def _suffixes(path: str) -> Iterator[str]:
    """The path, then without its first folder, and so on: manifests are written from within a folder of the tree. At most 64."""
    parts = _normal(path).split("/")
    for start in range(max(0, len(parts) - 64), len(parts)):
        yield "/".join(parts[start:])


def read_manifest(data: bytes, path: str, folder: str) -> tuple[Claim, ...]:
    """The claims of one manifest. `folder`: the file's own folder relative to the repository's root.

    Raises:
        ConfigError: too large, not JSON where it should be, or of no known kind.
    """
    place = Place(path=path)
    if len(data) > MAX_BYTES:
        raise ConfigError("the manifest is too large", place=place, expected=f"at most {MAX_BYTES} bytes")
    if path.endswith(PROJECT_SUFFIXES):
        return (_project(data, path, folder),)
    try:
        document: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ConfigError("the manifest is not JSON", place=place) from error
    if _get(document, "bomFormat") == "CycloneDX":
        claims = _cyclonedx(document, place)
    elif isinstance(_get(document, "spdxVersion"), str):
        claims = _spdx(document, place)
    elif path.endswith(".deps.json"):
        claims = _deps(document, place, folder)
    else:
        raise ConfigError(
            "the manifest is of no known kind", place=place, expected="CycloneDX, SPDX 2, *.deps.json or a project file"
        )
    lines = _Lines(data, path)
    found: list[Claim] = []
    for claim, word in claims:
        if len(found) == MAX_CLAIMS:
            raise ConfigError("the manifest names too many files", place=place, expected=f"at most {MAX_CLAIMS}")
        found.append(
            Claim(sha256=claim.sha256, output=claim.output, source=claim.source, project=claim.project, place=lines.of(word))
        )
    return tuple(found)


class _Lines:
    """Line numbers of words of a JSON text, looked up going forward only, so that the whole costs one pass."""

    def __init__(self, data: bytes, path: str) -> None:
        self._data = data
        self._path = path
        self._offset = 0
        self._line = 1

    def of(self, word: str) -> Place:
        """The next place after the last one where the word stands in quotes; the last one where it does not."""
        found = self._data.find(json.dumps(word, ensure_ascii=False).encode("utf-8", "surrogatepass"), self._offset)
        if found >= 0:
            self._line += self._data.count(b"\n", self._offset, found)
            self._offset = found
        return Place(path=self._path, line=self._line)


def _get(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _list(value: object, *keys: str) -> list[object]:
    found = _get(value, *keys)
    return found if isinstance(found, list) else []


def _text(value: object, *keys: str) -> str | None:
    found = _get(value, *keys)
    return found if isinstance(found, str) and found else None


def _sha256(hashes: list[object], algorithm: str, content: str) -> str | None:
    for entry in hashes:
        digest = _text(entry, content)
        if (_text(entry, algorithm) or "").replace("-", "").upper() == "SHA256" and digest and _SHA256.fullmatch(digest):
            return digest.lower()
    return None


_Found = tuple[Claim, str]
"""A claim without its line, and the word to find the line by."""


def _cyclonedx(document: object, place: Place) -> Iterator[_Found]:
    waiting = [iter(_list(document, "components"))]
    while waiting:
        component = next(waiting[-1], None)
        if component is None:
            waiting.pop()
            continue
        nested = _list(component, "components")
        if nested:
            waiting.append(iter(nested))
        name = _text(component, "name")
        location = next(
            (where for entry in _list(component, "evidence", "occurrences") if (where := _text(entry, "location"))), None
        )
        digest = _sha256(_list(component, "hashes"), "alg", "content")
        output = name if _text(component, "type") == "file" else None
        if name is not None and location is not None and (digest or output):
            yield Claim(sha256=digest, output=output, source=_source(location), place=place), name


def _spdx(document: object, place: Place) -> Iterator[_Found]:
    names = {
        id: name for entry in _list(document, "files") if (id := _text(entry, "SPDXID")) and (name := _text(entry, "fileName"))
    }
    sources: dict[str, str] = {}
    for entry in _list(document, "relationships"):
        ends = [_text(entry, "spdxElementId"), _text(entry, "relatedSpdxElement")]
        kind = _text(entry, "relationshipType")
        artifact, source = ends if kind == "GENERATED_FROM" else reversed(ends) if kind == "GENERATES" else (None, None)
        if artifact in names and source in names:
            sources.setdefault(artifact, names[source])
    for entry in _list(document, "files"):
        id, name = _text(entry, "SPDXID"), _text(entry, "fileName")
        if id in sources and name is not None:
            digest = _sha256(_list(entry, "checksums"), "algorithm", "checksumValue")
            yield Claim(sha256=digest, output=name, source=_source(sources[id]), place=place), name


def _deps(document: object, place: Place, folder: str) -> Iterator[_Found]:
    """Files of a project lie beside the manifest, whatever the path that their entry gives."""
    libraries = _get(document, "libraries")
    targets = _get(document, "targets")
    for target in targets.values() if isinstance(targets, dict) else ():
        for library, entry in target.items() if isinstance(target, dict) else ():
            if _text(libraries, library, "type") != "project":
                continue
            runtime = _get(entry, "runtime")
            for name in runtime if isinstance(runtime, dict) else ():
                output = posixpath.join(folder, posixpath.basename(name))
                yield Claim(output=output, project=library.partition("/")[0], place=place), library


_ASSEMBLY = regex(rb"<(?:AssemblyName|TargetName)>\s*([^<>\s$][^<>$]{0,255}?)\s*</")


def _project(data: bytes, path: str, folder: str) -> Claim:
    """A project file: the assembly's name (the file's own where none is given plainly) and the project's path."""
    name = posixpath.basename(path.replace("\\", "/"))
    stem = name.rpartition(".")[0]
    found = _ASSEMBLY.search(data)
    line = 1 if found is None else data.count(b"\n", 0, found.start()) + 1
    assembly = stem if found is None else found[1].decode("utf-8", "replace")
    return Claim(project=assembly, source=posixpath.join(folder, name), place=Place(path=path, line=line))


def _source(location: str) -> str:
    """A location in the repository: without scheme, leading `./` and line number."""
    return _normal(re.sub(r":\d+(?::\d+)?\Z", "", location.removeprefix("file://")))
