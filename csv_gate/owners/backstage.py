"""Owners out of Backstage's `catalog-info.yaml` (backstage.io, "Descriptor Format of Catalog Entities").

Read: `kind`, `metadata.name`, `metadata.annotations`, `spec.owner`. A file speaks for the folder it lies in and all below, where no
nearer file speaks. Not modelled: `Location` entities that point elsewhere, and owners that only the live catalogue knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from csv_gate.documents import Mapping, Node, Scalar, read_yaml_documents
from csv_gate.errors import Place
from csv_gate.model.result import Owner
from csv_gate.records import dataclass

_OWNED_KINDS = ("Component", "System", "Resource", "API", "Domain")
"""In the order in which they speak for the code beside them."""
_CONTACTS = ("github.com/team-slug", "slack.com/channel", "pagerduty.com/service-id")
"""Annotations that say how to reach the owner; the first one counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntity:
    """An entity that has an owner."""

    folder: str
    """Of its file, relative to the repository's root; empty: the root itself."""
    kind: str
    name: str
    owner: Owner


def read_catalog_info(data: bytes, path: str, folder: str) -> CatalogEntity | None:
    """The entity of a file that speaks for its folder: the first of the most telling kind. `data` is untrusted.

    Raises:
        ConfigError: not YAML or beyond a bound.
    """
    entities = [_entity(node, path, folder) for node in read_yaml_documents(data, path)]
    owned = [entity for entity in entities if entity is not None]
    return min(owned, key=lambda entity: _OWNED_KINDS.index(entity.kind), default=None)


def _entity(node: Node, path: str, folder: str) -> CatalogEntity | None:
    kind, name, owner = (_text(node, *keys) for keys in (("kind",), ("metadata", "name"), ("spec", "owner")))
    if owner is None or kind is None or kind.text not in _OWNED_KINDS:
        return None
    found = (_text(node, "metadata", "annotations", contact) for contact in _CONTACTS)
    contact = next((scalar.text for scalar in found if scalar is not None), None)
    place = Place(path=path, line=owner.place.line, column=owner.place.column)
    said = Owner(name=_name(owner.text), contact=contact, source=str(place))
    return CatalogEntity(folder=folder, kind=kind.text, name=name.text if name else "", owner=said)


def _name(reference: str) -> str:
    """An entity reference without what is the default anyway: `group:default/team-a` is `team-a`."""
    kind, colon, rest = reference.partition(":")
    rest = rest if colon and kind.lower() in ("group", "user") else reference
    return rest.removeprefix("default/")


def _text(node: Node | None, *keys: str) -> Scalar | None:
    for key in keys:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node if isinstance(node, Scalar) and node.kind == "str" and node.text else None


def nearest(entities: Iterable[CatalogEntity], path: str) -> CatalogEntity | None:
    """The entity whose folder holds the path and is the deepest."""
    holding: Sequence[CatalogEntity] = [
        entity for entity in entities if not entity.folder or path == entity.folder or path.startswith(entity.folder + "/")
    ]
    return max(holding, key=lambda entity: len(entity.folder), default=None)
