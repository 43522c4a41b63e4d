from __future__ import annotations

import json
from pathlib import Path

import pytest

from csv_gate.config import load_config, owner_index
from csv_gate.owners import OwnerIndex

CONFIG = """\
version: 1
owners:
  - {paths: dist/**, name: '@dist', contact: '#dist'}
  - {paths: dist/tool.exe, name: '@tool'}
default_owner: '@release'
ownership:
  manifests: ['**/*.deps.json', '**/*.csproj', '*.cdx.json', '*.spdx.json']
  catalog_info: ['catalog-info.yaml', 'services/*/catalog-info.yaml']
"""

CATALOG = """\
apiVersion: backstage.io/v1alpha1
kind: {kind}
metadata:
  name: app
  annotations: {{github.com/team-slug: org/t}}
spec:
  owner: {owner}
"""


def index(tmp_path: Path, files: dict[str, str], config: str = CONFIG) -> OwnerIndex:
    for name, text in {**files, "csv-gate.yaml": config}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return owner_index(load_config(tmp_path / "csv-gate.yaml").config, tmp_path)


def answer(found: OwnerIndex, path: str, sha256: str | None = None) -> tuple[str, str]:
    owner = found.owner_of(path, sha256)
    assert owner is not None
    return owner.name, Path(owner.source or "").name


def test_the_config_table_comes_before_codeowners_and_its_last_match_wins(tmp_path: Path) -> None:
    found = index(tmp_path, {"CODEOWNERS": "* @all\n"})
    assert answer(found, "dist/x.dll") == ("@dist", "csv-gate.yaml:3:5")
    assert answer(found, "dist/tool.exe") == ("@tool", "csv-gate.yaml:4:5")
    assert answer(found, "other/x.dll") == ("@all", "CODEOWNERS:1")


def test_several_owners_of_one_path_are_named_together(tmp_path: Path) -> None:
    found = index(tmp_path, {"CODEOWNERS": "* @a @b\n[S]\n* @c @a\n"})
    assert answer(found, "x") == ("@a, @b, @c", "CODEOWNERS:1, CODEOWNERS:3")


def test_backstage_then_the_default_answer_for_what_nobody_else_claims(tmp_path: Path) -> None:
    alone = index(tmp_path / "a", {})
    assert answer(alone, "x.dll") == ("@release", "csv-gate.yaml:5:16")
    with_catalog = index(tmp_path / "b", {"catalog-info.yaml": CATALOG.format(kind="Component", owner="group:default/core")})
    owner = with_catalog.owner_of("x.dll")
    assert owner is not None
    assert (owner.name, owner.contact, owner.source) == ("core", "org/t", "catalog-info.yaml:7:10")


def test_nobody_is_nobody(tmp_path: Path) -> None:
    assert index(tmp_path, {}, "version: 1\n").owner_of("x.dll") is None


def test_a_member_belongs_to_whom_its_container_belongs(tmp_path: Path) -> None:
    found = index(tmp_path, {})
    assert answer(found, "dist/tool.exe!/a.cab!/x.dll")[0] == "@dist"  # `dist/**` means the member itself
    assert answer(index(tmp_path, {"CODEOWNERS": "/setup.msi @msi\n"}), "setup.msi!/a.cab!/x.dll")[0] == "@msi"


def test_a_deps_manifest_leads_to_the_owner_of_the_project(tmp_path: Path) -> None:
    deps = {
        "targets": {
            "net8.0": {"App/1.0.0": {"runtime": {"App.dll": {}}}, "Json/13.0.1": {"runtime": {"lib/net6.0/Json.dll": {}}}}
        },
        "libraries": {"App/1.0.0": {"type": "project"}, "Json/13.0.1": {"type": "package"}},
    }
    files = {
        "dist/App.deps.json": json.dumps(deps, indent=1),
        "src/App/App.csproj": "<Project/>",
        "CODEOWNERS": "/src/App/ @app\n",
    }
    found = index(tmp_path, files)
    assert answer(found, "dist/App.dll") == ("@app", "CODEOWNERS:1")
    assert answer(found, "dist/Json.dll")[0] == "@dist"
    step = found.explain("dist/App.dll")[0]
    assert step.source == "manifest"
    assert "src/App/App.csproj" in step.outcome
    assert "dist/App.deps.json:" in step.outcome


def test_an_assembly_name_in_a_project_file_names_its_output(tmp_path: Path) -> None:
    files = {
        "src/Tool/Tool.csproj": "<Project>\n<AssemblyName>fancy</AssemblyName></Project>",
        "src/Odd/Odd.csproj": "<Project><AssemblyName>$(Name)</AssemblyName></Project>",
        "CODEOWNERS": "/src/Tool/ @tool-team\n/src/Odd/ @odd\n",
    }
    found = index(tmp_path, files)
    assert answer(found, "dist/fancy.exe") == ("@tool-team", "CODEOWNERS:1")
    assert answer(found, "dist/Odd.exe")[0] == "@odd"
    assert "Tool.csproj:2" in found.explain("dist/fancy.exe")[0].outcome


def test_two_projects_of_one_name_claim_nothing(tmp_path: Path) -> None:
    files = {"a/X.csproj": "<Project/>", "b/X.csproj": "<Project/>", "CODEOWNERS": "/a/ @a\n/b/ @b\n"}
    assert answer(index(tmp_path, files), "dist/X.dll")[0] == "@dist"


def test_cyclonedx_occurrences_lead_to_the_source_by_digest(tmp_path: Path) -> None:
    component = {
        "type": "library",
        "name": "native",
        "hashes": [{"alg": "SHA-1", "content": "00"}, {"alg": "SHA-256", "content": "AB" * 32}],
        "evidence": {"occurrences": [{"location": "./src/native/main.c:12"}]},
    }
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "components": [{"type": "application", "name": "x", "components": [component]}],
    }
    found = index(tmp_path, {"app.cdx.json": json.dumps(bom, indent=1), "CODEOWNERS": "/src/native/ @native\n"})
    assert answer(found, "dist/renamed.dll", "ab" * 32) == ("@native", "CODEOWNERS:1")
    assert answer(found, "dist/renamed.dll", "cd" * 32)[0] == "@dist"
    assert "app.cdx.json:11" in found.explain("dist/renamed.dll", "ab" * 32)[0].outcome


@pytest.mark.parametrize("kind", ["GENERATED_FROM", "GENERATES"])
def test_spdx_relations_lead_to_the_source(tmp_path: Path, kind: str) -> None:
    ends = ("SPDXRef-a", "SPDXRef-s") if kind == "GENERATED_FROM" else ("SPDXRef-s", "SPDXRef-a")
    document = {
        "spdxVersion": "SPDX-2.3",
        "files": [
            {"SPDXID": "SPDXRef-a", "fileName": "./a.dll", "checksums": [{"algorithm": "SHA256", "checksumValue": "ab" * 32}]},
            {"SPDXID": "SPDXRef-s", "fileName": "./src/a/a.cs"},
        ],
        "relationships": [{"spdxElementId": ends[0], "relatedSpdxElement": ends[1], "relationshipType": kind}],
    }
    found = index(tmp_path, {"app.spdx.json": json.dumps(document), "CODEOWNERS": "/src/a/ @a\n"})
    assert answer(found, "dist/other.dll", "ab" * 32)[0] == "@a"
    assert answer(found, "dist/a.dll")[0] == "@a"


def test_backstage_answers_for_a_source_that_codeowners_does_not_know(tmp_path: Path) -> None:
    files = {
        "services/pay/Pay.csproj": "<Project/>",
        "services/pay/catalog-info.yaml": CATALOG.format(kind="System", owner="ops")
        + "---\n"
        + CATALOG.format(kind="Component", owner="pay"),
    }
    assert answer(index(tmp_path, files), "dist/Pay.exe")[0] == "pay"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.cdx.json", "{"),
        ("x.cdx.json", "[" * 100_000),
        ("x.cdx.json", '{"a": 1}'),
        ("catalog-info.yaml", "a: ["),
        ("catalog-info.yaml", "a: !!python/object:os.system {}"),
        ("CODEOWNERS", "* nobody"),
    ],
)
def test_a_broken_source_is_told_and_is_not_the_end(tmp_path: Path, name: str, text: str) -> None:
    found = index(tmp_path, {name: text})
    assert len(found.problems) == 1
    assert found.problems[0].startswith(name)
    assert answer(found, "dist/x")[0] == "@dist"


@pytest.mark.parametrize(
    "document",
    [
        {"bomFormat": "CycloneDX", "components": [1, None, {"name": 3}, {"hashes": {}, "evidence": []}]},
        {"spdxVersion": "SPDX-2.3", "files": [None, {"SPDXID": []}], "relationships": [{}, 7]},
        {"spdxVersion": "SPDX-2.3", "files": "x", "relationships": 1},
    ],
)
def test_manifests_of_odd_shapes_claim_nothing(tmp_path: Path, document: object) -> None:
    found = index(tmp_path, {"x.cdx.json": json.dumps(document)})
    assert found.problems == ()
    assert found.manifests.claims == ()


def test_explaining_goes_through_every_source_in_order(tmp_path: Path) -> None:
    steps = index(tmp_path, {"CODEOWNERS": "/a @x\n/dist/\n"}).explain("dist/x.dll")
    assert [step.source for step in steps] == ["manifest", "config", "codeowners", "backstage", "default"]
    assert "names nobody (CODEOWNERS:2)" in steps[2].outcome
