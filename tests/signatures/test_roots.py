from __future__ import annotations

import json
import pickle
from importlib import resources

import pytest

from csv_gate.errors import FormatError
from csv_gate.model.facts import ChainEnd
from csv_gate.signatures import WELL_KNOWN_COMMON_NAMES, CatalogIndex, Roots, read_catalog
from csv_gate.signatures.microsoft_roots import WELL_KNOWN_TBS
from tests.builders import ca, cms
from tests.builders.signing import file_digest, read_one


def known_roots() -> list[dict[str, object]]:
    text = (resources.files("csv_gate.signatures") / "data" / "microsoft_roots.json").read_text("ascii")
    roots: list[dict[str, object]] = json.loads(text)["roots"]
    return roots


def test_every_numbered_root_has_the_tbs_digest_of_its_number() -> None:
    numbered = {root["well_known"]: root["tbs"][root["tbs_algorithm"]] for root in known_roots() if root["well_known"]}  # type: ignore[index]
    assert numbered == {number: digest for digest, number in WELL_KNOWN_TBS.items() if number != "03"}


def test_a_root_without_a_key_has_a_name_to_be_ruled_out_by() -> None:
    for root in known_roots():
        if root["well_known"]:
            assert f"CN={WELL_KNOWN_COMMON_NAMES[str(root['well_known'])]}," in str(root["name"])
    assert {"08", "0E"} <= set(WELL_KNOWN_COMMON_NAMES)


def test_the_name_of_a_known_root_is_not_its_key() -> None:
    anchor = next(iter(group[0] for group in Roots.known().by_subject().values() if group[0].well_known == "07"))
    forged = ca.root(key_label="forged").issue("Signer", issuer=anchor.subject)
    facts = read_one(cms.authenticode(forged, file_digest(), certificates=[forged.certificate]))
    assert facts.chain is not None
    assert facts.chain.end is ChainEnd.INCOMPLETE
    assert facts.chain.well_known_root is None


def test_a_given_root_ends_a_chain_of_a_signature() -> None:
    roots = Roots.known().with_given([ca.root().certificate])
    facts = read_one(cms.authenticode(ca.root().issue(), file_digest()), roots=roots)
    assert facts.chain is not None
    assert facts.chain.end is ChainEnd.GIVEN_ROOT
    assert facts.chain.well_known_root is None


def test_octets_that_are_no_certificate_cannot_be_given() -> None:
    with pytest.raises(FormatError):
        Roots.known().with_given([b"no certificate"])


def test_known_roots_are_made_once() -> None:
    assert Roots.known() is Roots.known()


def test_facts_catalogs_and_roots_cross_process_borders() -> None:
    roots = Roots.known().with_given([ca.root().certificate])
    facts = read_one(cms.authenticode(ca.root().issue(), file_digest()), roots=roots)
    index = CatalogIndex([read_catalog(cms.catalog(ca.root().issue(), [cms.member(file_digest())]), path="a.cat", roots=roots)])
    assert pickle.loads(pickle.dumps(roots)) is roots
    assert pickle.loads(pickle.dumps(facts)) == facts
    again = pickle.loads(pickle.dumps(index))
    assert again.signatures_for(lambda _: [file_digest()]) == index.signatures_for(lambda _: [file_digest()])
