from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import csv_gate
from csv_gate.config import Config, FailOn, LoadedConfig, find_config, load_config
from csv_gate.config.schema import SCHEMAS, schema_text
from csv_gate.documents import plain, read_yaml
from csv_gate.errors import ConfigError, ConfigErrors
from csv_gate.model.context import CodeMode, Mode
from csv_gate.model.verdict import Level

TARGET = "targets: {prod: {policies: p.xml%s}}"


def write(folder: Path, text: str, name: str = "csv-gate.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def load(folder: Path, text: str) -> Config:
    return load_config(write(folder, text)).config


def faults(folder: Path, text: str) -> list[tuple[int | None, int | None, str]]:
    with pytest.raises(ConfigErrors) as caught:
        load(folder, text)
    return [(e.place.line, e.place.column, str(e)) for e in caught.value.errors if e.place is not None]


FULL = r"""
version: 1
inputs: [dist, out/setup.msi]
include: ['**/*.dll', '*.exe']
exclude: '*.pdb'
fail_on: warning
catalogs: cats/*.cat
roots: [corp.pem]
docs_url: https://help.example.com/gate
jobs: 4
targets:
  prod:
    engine: appcontrol
    policies: [base.xml, supplemental.xml]
    also:
      - {name: last month, policies: old/base.xml}
    catalogs: prod.cat
    mode: enforce
    paths: [dist/**]
    context:
      os_build: 22631
      test_signing: false
      flight_signing: no
      driver_signing_satisfied: true
      managed_installer: false
      isg_trusted: false
      calling_process: app.exe
      whql_exempt: false
      trusted_roots: roots.txt
      revoked: [%s]
    install_paths:
      - {from: dist/app, to: 'C:\Program Files\App', user_writable: false}
    code_mode:
      - {paths: dist/drivers/, mode: kernel}
    overrides:
      - {paths: dist/beta/, mode: policy, context: {flight_signing: true}}
owners:
  - {paths: dist/**, name: '@org/app', contact: '#app'}
default_owner: {name: '@org/release', contact: release@example.com}
ownership: {codeowners: .github/CODEOWNERS, dialect: github, manifests: 'dist/*.deps.json', catalog_info: catalog-info.yaml}
waivers: waivers.yaml
notify:
  branches: [main, release/*]
  pagerduty: {routing_key: {env: PD_KEY}, routing_keys: {'@org/app': {env: PD_APP}}}
  alertmanager: {url: 'https://alerts.example.com', token: {env: AM}, labels: {team: x}}
  slack: {webhook: {env: SLACK}}
  teams: {webhook: {env: TEAMS}}
  webhook: {url: 'https://hooks.example.com/x', secret: {env: HOOK}}
  email: {server: mail.example.com, port: 25, from: gate@example.com, to: [a@example.com], password: {env: MAIL}}
""" % ("ab" * 32)


def test_every_section_is_read_into_its_types(tmp_path: Path) -> None:
    config = load(tmp_path, FULL)
    target = config.targets["prod"]
    assert (target.name, target.mode, target.context.os_build, target.context.flight_signing) == (
        "prod",
        Mode.ENFORCE,
        22631,
        False,
    )
    assert [str(pattern) for pattern in target.policies] == ["base.xml", "supplemental.xml"]
    assert target.policies[0].folder == tmp_path
    assert target.also[0].name == "last month"
    assert target.code_mode[0].mode is CodeMode.KERNEL
    assert target.routes("dist/x")
    assert not target.routes("other/x")
    assert config.fail_on is FailOn.WARNING
    assert config.exclude[0].matches("a/b.pdb")
    assert config.roots == (tmp_path / "corp.pem",)
    assert config.default_owner is not None
    assert config.default_owner.contact == "release@example.com"
    assert config.notify.email is not None
    assert config.notify.email.sender == "gate@example.com"
    assert config.waivers == tmp_path / "waivers.yaml"


def test_every_fault_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    text = (
        "version: 1\n"
        "fail_on: eror\n"
        "jobs: many\n"
        "exclud: x\n"
        "include: ['[a']\n"
        "targets:\n"
        "  prod: {policies: p.xml, context: {os_build: '22631', revoked: [zz]}}\n"
        "  lab: {mode: enforce}\n"
    )
    found = faults(tmp_path, text)
    assert [(line, column) for line, column, _ in found] == [(2, 10), (3, 7), (4, 1), (5, 11), (7, 47), (7, 66), (8, 8)]
    assert "got text 'eror', expected one of error, warning, note, never" in found[0][2]
    assert "got text '22631', expected a whole number" in found[4][2]


def test_a_misspelt_word_gets_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load(tmp_path, "version: 1\nfail_on: eror\nexclud: x\n")
    assert [error.help for error in caught.value.errors] == ["did you mean 'error'?", "did you mean 'exclude'?"]


GOOD = [
    "version: 1",
    "version: 1\ninputs:\nexclude: []",
    "version: 1\n" + TARGET % "",
    "version: 1\ndefault_owner: '@x'",
    "version: 1\njobs: 256",
    "version: 1\n" + TARGET % ", paths: ['**']",
    "version: 1\n" + TARGET % r", install_paths: [{from: ., to: '%windir%\App'}]",
    "version: 1\nnotify: {webhook: {secret_url: {env: U}}}",
    FULL,
]
BAD = [
    "",
    "version: 2",
    "version: '1'",
    "version: 1\nname: x",
    "version: 1\njobs: 0",
    "version: 1\njobs: 257",
    "version: 1\njobs: 1.5",
    "version: 1\njobs: true",
    "version: 1\nfail_on: 3",
    "version: 1\ninclude: {a: b}",
    "version: 1\ninclude: ['']",
    "version: 1\ninclude: [1]",
    "version: 1\ndocs_url: ftp://x",
    "version: 1\ntargets: []",
    "version: 1\ntargets: {prod: {}}",
    "version: 1\n" + TARGET % ", mode: audit",
    "version: 1\n" + TARGET % ", context: {os_build: -1}",
    "version: 1\n" + TARGET % ", context: {test_signing: 1}",
    "version: 1\n" + TARGET % ", context: {revoked: abc}",
    "version: 1\n" + TARGET % ", install_paths: [{from: x}]",
    "version: 1\n" + TARGET % ", also: [{policies: x}]",
    "version: 1\n" + TARGET % ", code_mode: [{paths: x, mode: both}]",
    "version: 1\nowners: [{paths: x}]",
    "version: 1\ndefault_owner: {contact: x}",
    "version: 1\nnotify: {slack: {webhook: https://hooks.example.com}}",
    "version: 1\nnotify: {slack: {webhook: {env: 'a b'}}}",
    "version: 1\nnotify: {email: {port: 1}}",
    "version: 1\nnotify: {pager: {}}",
]


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_committed_schema_is_the_one_of_the_types(name: str) -> None:
    committed = Path(csv_gate.__file__).parent / "schemas" / name
    assert committed.read_text("utf-8") == schema_text(name), "run `python -m csv_gate.config.schema`"


@pytest.mark.parametrize("text", GOOD)
def test_what_the_reader_accepts_the_schema_accepts(tmp_path: Path, text: str) -> None:
    load(tmp_path, text)
    assert not list(validator().iter_errors(plain(read_yaml(text.encode(), "x"))))


@pytest.mark.parametrize("text", BAD)
def test_what_the_reader_refuses_the_schema_refuses(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, text)
    assert list(validator().iter_errors(plain(read_yaml(text.encode(), "x"))))


def validator() -> Draft202012Validator:
    schema = json.loads(schema_text("config.schema.json"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version: 1\nversion: 1", "here twice"),
        ("version: [1", "not YAML"),
        ("version: 1\n---\nversion: 1", "too many documents"),
        ("version: !!int 1", "tags are not used"),
        ("? [a]\n: 1", "key must be text"),
        ("a: *b", "stands for nothing"),
        ("a: &a [*a]", "stands for nothing"),
        ("a: " + "[" * 40 + "]" * 40, "too deeply"),
        ("a: " + "[" * 100_000, "too deeply"),
        ("a: \x01", "control characters"),
        ("- version: 1", "a mapping"),
        ("version: 1\nextends: nowhere.yaml", "not there"),
        ("version: 1\ntargets: {'a b': {policies: p.xml}}", "wrong target name"),
        ("version: 1\ntargets: {a: {policies: []}}", "has no policies"),
        ("version: 1\n" + TARGET % ", install_paths: [{from: a, to: Program Files}]", "absolute Windows path"),
        ("version: 1\n" + TARGET % r", install_paths: [{from: ../a, to: 'C:\x'}]", "'..'"),
        ("version: 1\n" + TARGET % ", also: [{name: a, policies: x}, {name: a, policies: y}]", "have one name"),
        ("version: 1\nowners: [{paths: [], name: x}]", "without paths"),
        ("version: 1\n<<: {jobs: 1}", "'<<' is not known"),
    ],
)
def test_a_file_that_is_wrong_in_itself_is_refused(tmp_path: Path, text: str, words: str) -> None:
    assert words in faults(tmp_path, text)[0][2]


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "csv-gate.yaml").write_bytes("version: 1 # ä".encode("utf-16"))
    with pytest.raises(ConfigErrors, match="not UTF-8"):
        load_config(tmp_path / "csv-gate.yaml")


def test_aliases_that_stand_for_billions_are_refused_at_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 12)]
    assert "holds too much" in faults(tmp_path, "\n".join(lines))[0][2]


def test_a_secret_in_the_file_is_never_repeated(tmp_path: Path) -> None:
    (_, _, message) = faults(tmp_path, "version: 1\nnotify: {slack: {webhook: s3cr3t-token}}")[0]
    assert "s3cr3t" not in message
    assert "{env: NAME}" in message


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.dates(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["version", "targets", "prod", "policies", "context", "owners", "notify", "paths"]), inner
            )
        ),
    )
)
@settings(max_examples=60, deadline=None)
def test_any_document_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, document: object) -> None:
    path = write(tmp_path_factory.mktemp("any"), yaml.safe_dump(document, allow_unicode=True))
    try:
        load_config(path)
    except ConfigErrors:
        return


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read_yaml(data, "x")
    except ConfigError:
        return


# --- extends ----------------------------------------------------------------------------------------------------------


def test_extended_mappings_merge_and_everything_else_is_replaced(tmp_path: Path) -> None:
    write(
        tmp_path,
        "version: 1\nexclude: [a, b]\njobs: 2\ntargets: {prod: {policies: p.xml, mode: enforce}, lab: {policies: l.xml}}",
        "org/base.yaml",
    )
    config = load(tmp_path, "version: 1\nextends: org/base.yaml\nexclude: [c]\ntargets: {prod: {policies: q.xml}}")
    assert [str(glob) for glob in config.exclude] == ["c"]
    assert (config.jobs, config.targets["prod"].mode, sorted(config.targets)) == (2, Mode.ENFORCE, ["lab", "prod"])
    assert config.targets["prod"].policies[0].folder == tmp_path
    assert config.targets["lab"].policies[0].folder == tmp_path / "org"


def test_of_several_extended_files_the_later_wins(tmp_path: Path) -> None:
    write(tmp_path, "jobs: 1\nfail_on: note", "a.yaml")
    write(tmp_path, "jobs: 2", "b.yaml")
    config = load(tmp_path, "version: 1\nextends: [a.yaml, b.yaml]")
    assert (config.jobs, config.fail_on) == (2, FailOn.NOTE)


def test_a_fault_in_an_extended_file_names_that_file(tmp_path: Path) -> None:
    write(tmp_path, "jobs: x", "a.yaml")
    assert "a.yaml:1:7" in faults(tmp_path, "version: 1\nextends: a.yaml")[0][2]


def test_extending_in_a_circle_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "extends: csv-gate.yaml", "a.yaml")
    assert "circle" in faults(tmp_path, "version: 1\nextends: a.yaml")[0][2]


def test_extending_without_end_is_refused(tmp_path: Path) -> None:
    for number in range(40):
        write(tmp_path, f"extends: [{number + 1}.yaml, {number + 1}.yaml]", f"{number}.yaml")
    write(tmp_path, "jobs: 1", "40.yaml")
    assert "too many files" in faults(tmp_path, "version: 1\nextends: 0.yaml")[0][2]


def test_the_digest_of_a_configuration_is_that_of_all_its_files(tmp_path: Path) -> None:
    base = write(tmp_path, "jobs: 1", "a.yaml")
    path = write(tmp_path, "version: 1\nextends: a.yaml")
    before = load_config(path).sha256
    assert before == load_config(path).sha256
    base.write_text("jobs: 2")
    assert load_config(path).sha256 != before


# --- discovery --------------------------------------------------------------------------------------------------------


def test_the_nearest_file_up_to_the_repository_root_is_found(tmp_path: Path) -> None:
    outside = write(tmp_path, "version: 1")
    deep = tmp_path / "repo" / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "repo" / ".git").mkdir()
    assert find_config(deep) is None
    assert find_config(tmp_path) == outside
    root = write(tmp_path / "repo", "version: 1")
    assert find_config(deep) == root
    nearer = write(tmp_path / "repo" / "a", "version: 1")
    assert find_config(deep) == nearer


def test_outside_of_a_repository_only_the_folder_itself_counts(tmp_path: Path) -> None:
    write(tmp_path, "version: 1")
    (tmp_path / "below").mkdir()
    assert find_config(tmp_path / "below") is None


@pytest.mark.parametrize(
    ("fail_on", "level", "expected"),
    [
        (FailOn.ERROR, Level.ERROR, True),
        (FailOn.ERROR, Level.WARNING, False),
        (FailOn.NOTE, Level.NOTE, True),
        (FailOn.NEVER, Level.ERROR, False),
    ],
)
def test_a_level_fails_from_the_threshold_on(fail_on: FailOn, level: Level, expected: bool) -> None:
    assert fail_on.fails(level) is expected


def test_no_file_is_all_default() -> None:
    loaded = load_config(None)
    assert loaded == LoadedConfig(config=Config(version=1), path=None, sha256=None, origins=loaded.origins)


def test_a_configuration_crosses_process_borders(tmp_path: Path) -> None:
    loaded = load_config(write(tmp_path, FULL))
    assert pickle.loads(pickle.dumps(loaded)) == loaded
