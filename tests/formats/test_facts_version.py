"""Kept facts are void when extraction says something else: whoever changes what it says must raise `FACTS_VERSION`."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model import facts as model
from csv_gate.model.result_json import facts_json
from csv_gate.store import facts_cache

BINARIES = Path(__file__).parents[2] / "fixtures" / "binaries"
GOLDEN = Path(__file__).parents[1] / "golden" / "facts.tsv"
"""The version, then of each sample its name, its digest, and the digest of what is said about it."""


def told(value: object) -> object:
    """Without what is absent, so that a new field changes nothing until it says something."""
    if isinstance(value, dict):
        return {key: kept for key, one in value.items() if (kept := told(one)) not in (None, [], {})}
    return [told(one) for one in value] if isinstance(value, list) else value


def said() -> dict[tuple[str, str], str]:
    found = {}
    for path in sorted(path for path in BINARIES.rglob("*") if path.is_file()):
        data, name = path.read_bytes(), path.relative_to(BINARIES).as_posix()
        facts = extract(data, ExtractionSettings(), name=name)
        text = json.dumps(
            [facts.format, facts.size, told(facts_json(facts)), [[gap.what.value, gap.why] for gap in facts.gaps]],
            sort_keys=True,
        )
        found[name, hashlib.sha256(data).hexdigest()] = hashlib.sha256(text.encode()).hexdigest()
    return found


def written() -> tuple[int, dict[tuple[str, str], str]]:
    version, *rows = GOLDEN.read_text(encoding="utf-8").splitlines()
    return int(version), {(name, sample): facts for name, sample, facts in (row.split("\t") for row in rows)}


def test_what_is_said_of_the_samples_changes_with_the_version_only() -> None:
    now = said()
    if os.environ.get("CSV_GATE_UPDATE_GOLDEN") and (not GOLDEN.exists() or written()[0] != model.FACTS_VERSION):
        rows = [f"{name}\t{sample}\t{facts}" for (name, sample), facts in now.items()]
        GOLDEN.write_text("\n".join([str(model.FACTS_VERSION), *rows, ""]), encoding="utf-8", newline="\n")
    version, then = written()
    changed = [name for (name, sample), facts in now.items() if then.get((name, sample), facts) != facts]
    assert (version, changed) == (model.FACTS_VERSION, []), (
        "extraction says something else of these samples: raise FACTS_VERSION in csv_gate/model/facts.py, "
        "then run this test with CSV_GATE_UPDATE_GOLDEN=1"
    )
    assert len(then) >= len(now) > 10


def test_there_is_one_version_and_the_store_goes_by_it() -> None:
    assert vars(facts_cache)["FACTS_VERSION"] is model.FACTS_VERSION
    holders = [
        path.name
        for path in (BINARIES.parents[1] / "csv_gate").rglob("*.py")
        if any(line.startswith("FACTS_VERSION =") for line in path.read_text(encoding="utf-8").splitlines())
    ]
    assert holders == ["facts.py"]
