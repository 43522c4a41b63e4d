"""Runs over trees in which signatures lie beside what they sign."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from csv_gate.gate import run
from csv_gate.gate.inspection import inspect
from csv_gate.gate.since_green import changed_since
from csv_gate.model.facts import SignatureScheme, SignatureSource
from csv_gate.model.verdict import Decision
from csv_gate.report import render
from csv_gate.scan import open_content
from csv_gate.signatures.certificate import read_certificate
from tests.builders import signing
from tests.builders.containers import zip_of
from tests.builders.detached import cms_over
from tests.builders.plans import plan, target
from tests.builders.policy import element, policy_xml, scenario_xml, signer_xml
from tests.builders.signed_pe import signed_pe
from tests.builders.tree import ENFORCED, code, policy_for, tree

CODE = code("a")
SIGNATURE = cms_over(CODE)


def publisher_policy() -> bytes:
    """Allows whatever the publisher signs, and nothing by digest."""
    certificates = signing.publisher().all_certificates
    tbs = [read_certificate(der).facts.tbs["sha256"].upper() for der in certificates]
    ids = [f"ID_SIGNER_S_{n}" for n in range(len(tbs))]
    return policy_xml(
        options=ENFORCED,
        signers=[signer_xml(id, root=element("CertRoot", Type="TBS", Value=one)) for id, one in zip(ids, tbs, strict=True)],
        scenarios=[scenario_xml(value=value, allowed=ids) for value in ("12", "131")],
    )


def result(root: Path, policy: bytes, **changes: Any) -> dict[str, Any]:
    out = io.StringIO()
    with run(plan(root, targets=[target(policy)], jobs=1, **changes)) as found:
        render("json", found, out)
    return {row["path"].rpartition("/")[2]: row for row in json.loads(out.getvalue())["artifacts"]}


def checks(row: dict[str, Any]) -> set[str]:
    return {finding["check"] for finding in row["findings"]}


def test_a_valid_detached_signature_never_allows_code(tmp_path: Path) -> None:
    signed = signed_pe(code("b"), signing.publisher())
    tree(tmp_path, {"a.dll": CODE, "a.dll.p7s": SIGNATURE, "b.dll": signed})
    with run(plan(tmp_path, targets=[target(publisher_policy())], jobs=1)) as found:
        rows = {Path(row.artifact.path).name: row for row in found.artifacts}
    (detached,) = rows["a.dll"].artifact.facts.signatures
    assert (detached.valid, detached.scheme, detached.source) == (True, SignatureScheme.CMS, SignatureSource.DETACHED)
    assert rows["a.dll"].verdicts[0].decision is Decision.DENIED
    assert rows["b.dll"].verdicts[0].decision is Decision.ALLOWED  # the same publisher, where the target looks


def test_a_broken_detached_signature_is_a_finding_of_any_file(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            "a.dll": CODE,
            "a.dll.p7s": cms_over(b"other"),
            "notes.txt": b"text",
            "notes.txt.p7s": cms_over(b"other"),
            "all.zip": zip_of({"x.txt": b"x"}),
            "all.zip.p7s": cms_over(b"other"),
        },
    )
    rows = result(tmp_path, policy_for(CODE))
    for name in ("a.dll", "notes.txt", "all.zip"):
        assert "CSV101" in checks(rows[name]), name
        assert rows[name]["facts"]["signatures"][0]["place"] == f"{name}.p7s"
    assert rows["notes.txt"]["verdicts"][0]["decision"] == "not_applicable"


def test_a_signature_without_its_file_is_a_note(tmp_path: Path) -> None:
    tree(tmp_path, {"a.dll": CODE, "gone.dll.p7s": SIGNATURE, "other.sig": b"of another kind"})
    rows = result(tmp_path, policy_for(CODE))
    assert checks(rows["gone.dll.p7s"]) == {"CSV346"}
    assert [finding["level"] for finding in rows["gone.dll.p7s"]["findings"]] == ["note"]
    assert checks(rows.get("other.sig", {"findings": []})) == set()


@pytest.mark.parametrize("trusts_files", [False, True])
def test_kept_facts_hold_no_signature_that_lies_beside(tmp_path: Path, trusts_files: bool) -> None:
    root = tree(tmp_path / "out", {"a.dll": CODE, "a.dll.p7s": SIGNATURE, "copy.dll": CODE})
    kept = {"kept_facts": tmp_path / "kept", "trusts_files": trusts_files}
    first = result(root, policy_for(CODE), **kept)
    assert first == result(root, policy_for(CODE), **kept) == result(root, policy_for(CODE))
    assert len(first["a.dll"]["facts"]["signatures"]) == 1
    assert first["copy.dll"]["facts"]["signatures"] == []
    (root / "a.dll.p7s").write_bytes(cms_over(b"other"))
    assert "CSV101" in checks(result(root, policy_for(CODE), **kept)["a.dll"])
    (root / "a.dll.p7s").unlink()
    assert result(root, policy_for(CODE), **kept)["a.dll"]["facts"]["signatures"] == []


def test_a_side_file_that_was_swapped_for_a_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"a.dll": CODE, "a.dll.p7s": SIGNATURE, "secret": SIGNATURE})
    from csv_gate.gate import sides

    opened = open_content

    def swapped(entry: Any, limits: Any) -> Any:
        Path(entry.location).unlink()
        Path(entry.location).symlink_to(tmp_path / "secret")
        return opened(entry, limits)

    monkeypatch.setattr(sides, "open_content", swapped)
    (artifact,) = inspect([str(tmp_path / "a.dll")])
    assert artifact.facts.signatures == ()
    assert [problem.code for problem in artifact.facts.problems if problem.code.startswith("detached")] == [
        "detached-unreadable"
    ]


def test_a_changed_side_file_makes_its_file_changed(tmp_path: Path) -> None:
    root = tree(tmp_path, {"a.dll": CODE, "a.dll.p7s": SIGNATURE, "b.dll": CODE})
    of = plan(root, targets=[target(policy_for(CODE))])
    green = changed_since(of, None).state
    assert changed_since(of, green).plan is None
    (root / "a.dll.p7s").unlink()
    part = changed_since(of, green).plan
    assert part is not None
    assert any(path.endswith("a.dll") for path in part.inputs) or part.inputs == of.inputs
