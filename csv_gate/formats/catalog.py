"""A security catalog as an artifact of its own: who signed it and how many files it lists.

What it lists counts as signed only where the catalog is given to the run (`ExtractionSettings.catalogs`): a catalog works on a target
only where it is installed.
"""

from __future__ import annotations

import hashlib

from csv_gate.errors import ArtifactError
from csv_gate.formats import detect
from csv_gate.formats.settings import ExtractionSettings
from csv_gate.model.facts import Digests, FactName, Facts, Gap, SignatureSource
from csv_gate.model.problems import Problem, ProblemCode
from csv_gate.records import replace
from csv_gate.signatures import read_catalog

_PLACE = "0"


def extract_catalog(view: memoryview, settings: ExtractionSettings) -> Facts:
    """Facts of a file that looks like a catalog. Bad bytes become a problem and a gap."""
    facts = Facts(format=detect.CATALOG, size=len(view), digests=Digests(sha256=hashlib.sha256(view).hexdigest()))
    try:
        catalog = read_catalog(view, path=_PLACE, roots=settings.roots, limits=settings.limits)
    except ArtifactError as error:
        problem = Problem(code=ProblemCode.CATALOG_MALFORMED, detail=error.title)
        return replace(facts, problems=(problem,), gaps=(Gap(what=FactName.SIGNATURES, why=error.title),))
    own = replace(catalog.signature, source=SignatureSource.EMBEDDED, place=_PLACE, catalog_sha256=None)
    return replace(facts, signatures=(own,), catalog_members=len(catalog.members), problems=catalog.problems)
