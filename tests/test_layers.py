"""Arrows between the rooms point one way, and starting loads nothing heavy."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parent.parent
HEAVY = (
    "cryptography",
    "yaml",
    "lief",
    "pefile",
    "asn1crypto",
    "jsonschema",
    "sqlite3",
    "http.client",
    "xml.etree",
    "multiprocessing",
)


def test_imports_keep_to_the_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)

    assert status == 0, capsys.readouterr().out


def test_every_room_is_in_the_contract() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    named = {module.strip(" ()") for layer in layers for module in layer.replace("|", ":").split(":")}
    rooms = {
        f"csv_gate.{entry.stem}"
        for entry in (ROOT / "csv_gate").iterdir()
        if (entry.suffix == ".py" or (entry / "__init__.py").is_file()) and entry.stem != "__init__"
    }

    assert rooms - named == set()


@pytest.mark.parametrize(
    "module", ["csv_gate", "csv_gate.cli", "csv_gate.model.facts", "csv_gate.model.checks", "csv_gate.report"]
)
def test_starting_loads_no_heavy_library(module: str) -> None:
    program = f"import sys, {module}; print(*(set({HEAVY!r}) & set(sys.modules)))"

    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert loaded.split() == []


SPARED = (
    "yaml",
    "sqlite3",
    "multiprocessing",
    "html",
    "xml.etree",
    "difflib",
    "shutil",
    "tempfile",
    "textwrap",
    "uuid",
    "csv_gate.cli.paging",
    "csv_gate.config.effective",
    "csv_gate.config.requirements",
    "csv_gate.config.resolve",
    "csv_gate.config.targets",
    "csv_gate.containers.member",
    "csv_gate.containers.walk",
    "csv_gate.documents.schema",
    "csv_gate.formats.cab",
    "csv_gate.formats.elf",
    "csv_gate.formats.msi",
    "csv_gate.formats.script",
    "csv_gate.gate.configured_routes",
    "csv_gate.notify.channels",
    "csv_gate.notify.send",
    "csv_gate.owners.loading",
    "csv_gate.owners.table",
    "csv_gate.suggesting.levels",
    "csv_gate.waivers.applying",
    "csv_gate.waivers.reading",
)
MOST_MODULES = 172
"""Of the package. Each further one costs every start a fifth of a millisecond and more."""


MOST_MODULES_WITH_FACTS_KEPT = 156
VERIFYING = ("cryptography", "csv_gate.formats.pe", "csv_gate.signatures.chain", "csv_gate.signatures.keys")


def test_checking_one_file_loads_what_that_takes_and_no_more() -> None:
    words = ["check", "fixtures/binaries/app/core.dll", "--no-config", "--no-cache", "--policy", "fixtures/policies/base.xml"]
    program = (
        "import sys; from csv_gate.cli.main import main; code = main(sys.argv[1:])\n"
        "own = [name for name in sys.modules if name.startswith('csv_gate')]\n"
        f"print(code, len(own), *sorted(set({SPARED!r}) & set(sys.modules)), file=sys.stderr)"
    )

    told = subprocess.run([sys.executable, "-c", program, *words], cwd=ROOT, capture_output=True, text=True, check=True).stderr

    code, modules, *loaded = told.splitlines()[-1].split()
    assert (code, loaded) == ("0", [])
    assert int(modules) <= MOST_MODULES


def test_a_run_that_finds_its_facts_kept_loads_nothing_that_verifies(tmp_path: Path) -> None:
    words = ["check", "fixtures/binaries/app/core.dll", "--no-config", "--policy", "fixtures/policies/base.xml"]
    program = (
        "import sys; from csv_gate.cli.main import main; code = main(sys.argv[1:])\n"
        "own = [name for name in sys.modules if name.startswith('csv_gate')]\n"
        f"print(code, len(own), *sorted(set({VERIFYING!r}) & set(sys.modules)), file=sys.stderr)"
    )

    def loaded() -> tuple[int, list[str]]:
        environment = {**os.environ, "CSV_GATE_CACHE_DIR": str(tmp_path)}
        told = subprocess.run(
            [sys.executable, "-c", program, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        ).stderr
        code, modules, *verifying = told.splitlines()[-1].split()
        assert code == "0"
        return int(modules), verifying

    assert loaded()[1] == sorted(VERIFYING)
    modules, verifying = loaded()
    assert verifying == []
    assert modules <= MOST_MODULES_WITH_FACTS_KEPT


def test_no_run_reads_annotations_as_typing_does() -> None:
    """The first call of `compile` readies the whole syntax tree of Python, two milliseconds; `typing` calls it for each annotation."""
    words = ["check", "fixtures/binaries/app/core.dll", "--no-config", "--no-cache", "--policy", "fixtures/policies/base.xml"]
    program = (
        "import builtins, sys; compiled, real = [], builtins.compile\n"
        "def seen(source, name, *rest, **options):\n"
        "    compiled.append(source) if name == '<string>' else None\n"
        "    return real(source, name, *rest, **options)\n"
        "builtins.compile = seen\n"
        "from csv_gate.cli.main import main; print(main(sys.argv[1:]), compiled, file=sys.stderr)"
    )

    told = subprocess.run([sys.executable, "-c", program, *words], cwd=ROOT, capture_output=True, text=True, check=True).stderr

    assert told.splitlines()[-1] == "0 []"


def test_no_name_that_is_imported_late_is_that_of_a_module() -> None:
    """Importing the module would put it in the name's place."""
    for entry in sorted((ROOT / "csv_gate").rglob("__init__.py")):
        package = ".".join(entry.parent.relative_to(ROOT).parts)
        if "lazily(" in entry.read_text(encoding="utf-8"):
            modules = {path.stem for path in entry.parent.glob("*.py")}
            assert set(importlib.import_module(package).__all__) & modules == set(), package


def test_no_program_is_started_but_git_for_waivers_from_a_ref_and_for_hooks() -> None:
    starts = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "csv_gate").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and any(alias.name == "subprocess" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "subprocess")
        or (isinstance(node, ast.Attribute) and node.attr in {"system", "popen", "execvp", "posix_spawn"})
    }

    assert starts <= {"csv_gate/waivers/reading.py", "csv_gate/cli/git_hooks.py"}


def test_no_shell_is_started() -> None:
    keywords = {
        (path.name, node.lineno)
        for path in (ROOT / "csv_gate").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword) and node.arg == "shell"
    }

    assert keywords == set()


def test_no_module_compiles_a_regular_expression_while_it_is_imported() -> None:
    """One takes a tenth of a millisecond and more, and few of them are needed in one run: `csv_gate.lazy.regex` waits."""
    compiled = {
        f"{path.relative_to(ROOT).as_posix()}:{node.lineno}"
        for path in (ROOT / "csv_gate").rglob("*.py")
        for statement in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr)
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"
    }

    assert compiled == set()
