"""The sections of facts that one kind of file has survive JSON."""

from __future__ import annotations

import json

import pytest

from csv_gate.formats import ExtractionSettings, extract
from csv_gate.model.facts import Facts
from csv_gate.model.facts_read import read_facts
from csv_gate.model.json_node import Node
from csv_gate.model.result_json import facts_json
from tests.builders import cabinets, compound, scripts
from tests.builders.elf import elf, signed_module
from tests.builders.signing import publisher

FILES = {
    "a.ps1": scripts.signed("ps1", "exit\r\n", signer=publisher()).encode(),
    "a.vbs": b"x = 1",
    "a.msi": compound.signed({"Table": b"rows"}, publisher()),
    "a.cab": cabinets.signed(publisher()),
    "a.ko": signed_module(publisher(), elf(type=1, build_id=b"\1" * 20, interpreter=b"/lib/ld.so")),
    "a.so": elf(),
}


@pytest.mark.parametrize("name", FILES)
def test_facts_come_back_as_they_were_written(name: str) -> None:
    facts = extract(FILES[name], ExtractionSettings(), name=name)
    assert _back(facts) == facts


def _back(facts: Facts) -> Facts:
    gaps = [{"what": gap.what.value, "why": gap.why} for gap in facts.gaps]
    row = json.loads(json.dumps({"format": facts.format, "size": facts.size, "facts": facts_json(facts), "gaps": gaps}))
    return read_facts(Node(row, "$", "result.json"))
