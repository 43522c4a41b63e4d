"""The JSON Schemas of the written files, as committed under `csv_gate/schemas/`.

`python -m csv_gate.config.schema` writes them anew.
"""

from __future__ import annotations

import json
from pathlib import Path

from csv_gate.config.model import Config
from csv_gate.documents import schema_of
from csv_gate.waivers import WaiverFile

SCHEMAS = {
    "config.schema.json": (Config, "csv-gate.yaml"),
    "waivers.schema.json": (WaiverFile, "csv-gate waivers"),
}
"""File name -> root type and title."""


def schema_text(name: str) -> str:
    """The schema as committed: the same bytes every time."""
    kind, title = SCHEMAS[name]
    schema = schema_of(kind, title=title, id=f"csv-gate/schemas/{name}")
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_schemas() -> None:
    folder = Path(__file__).parent.parent / "schemas"
    for name in SCHEMAS:
        (folder / name).write_text(schema_text(name), "utf-8")


if __name__ == "__main__":
    write_schemas()
