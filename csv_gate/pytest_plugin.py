"""The pytest plugin: `pytest --csv-gate build/` judges a build output as part of a test run.

Each artifact on each target is a test item, `csv-gate::build/app.dll[prod]`, with the gate's diagnostic as its failure. One more item
stands for the run as a whole. The items fail exactly where `csv-gate check` would not end with 0. Without `--csv-gate` the plugin only
offers the fixture `csv_gate`.

This module is imported by every test run of an environment that has csv-gate, so it imports pytest and nothing that pytest has not.
With pytest-xdist the controller judges once and hands the result to its workers.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from csv_gate.testing import Case, Judgement

ROOM = "csv-gate"
"""First part of the items' ids."""
_HANDED = "csv_gate_result"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("csv-gate", "code signing validation")
    group.addoption(
        "--csv-gate",
        metavar="PATH",
        action="append",
        default=[],
        help="judge this file or folder: a test for each artifact and target; repeatable",
    )
    parser.addini("csv_gate_policies", "policy files for --csv-gate, relative to this file; they make one set", type="paths")
    parser.addini(
        "csv_gate_config", "csv-gate.yaml for --csv-gate, relative to this file; default: found from here", type="paths"
    )
    parser.addini("csv_gate_target", "names of the configured targets to judge for; default: all", type="args")
    parser.addini("csv_gate_mode", "'enforce' judges audit policies as if enforced", default="")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "csv_gate: an artifact judged by csv-gate; `-m csv_gate` runs these alone")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Put the artifacts beside what the session collects."""
    report = yield
    if isinstance(collector, pytest.Session) and collector.config.option.csv_gate and report.passed:
        report.result.append(BuildOutput.from_parent(collector, name=ROOM, nodeid=ROOM))
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Called by pytest-xdist for each worker: give it the result, if there is one."""
    config = node.config
    if config.option.csv_gate and (path := _result_for_workers(config)) is not None:
        node.workerinput[_HANDED] = str(path)


def pytest_unconfigure(config: pytest.Config) -> None:
    if (shared := config.stash.get(_SHARED, None)) is not None:
        import shutil

        shutil.rmtree(shared.parent, ignore_errors=True)


@pytest.fixture(scope="session")
def csv_gate(pytestconfig: pytest.Config) -> Callable[..., Judgement]:
    """Judge files: `csv_gate(path, …, policies=…)` gives a `csv_gate.testing.Judgement`.

    Policies, config, targets and mode that are not given come from the ini options.
    """

    def judge_files(*paths: str | Path, **settings: Any) -> Judgement:
        from csv_gate.testing import judge

        return judge(paths, **{**_settings(pytestconfig), **settings})

    return judge_files


class BuildOutput(pytest.Collector):
    """Everything that `--csv-gate` names."""

    def collect(self) -> Iterator[pytest.Item]:
        from csv_gate.errors import GateError

        try:
            cases = _judgement(self.config).cases
        except GateError as error:
            raise self.CollectError(_told(error)) from error
        for case in cases:
            yield ArtifactItem.from_parent(self, name=_name(case), case=case)


class ArtifactItem(pytest.Item):
    """One artifact on one target, or the run as a whole."""

    def __init__(self, *, case: Case, **given: Any) -> None:
        super().__init__(**given)
        self.case = case
        self.add_marker("csv_gate")

    def runtest(self) -> None:
        self.user_properties.extend(_properties(self.case))
        if self.case.fails:
            raise NotAllowedError(self.case.text)
        verdict = self.case.verdict
        if verdict is not None and verdict.decision.value == "not_applicable":
            from csv_gate.report.escape import terminal

            pytest.skip(f"no policy governs it: {terminal(verdict.because)}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The gate's diagnostic instead of a traceback."""
        return str(excinfo.value) if isinstance(excinfo.value, NotAllowedError) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[str, None, str]:
        # Not the end of the id: there pytest would take the dots of a file name for those of a class.
        return ROOM, None, f"csv-gate: {self.name}"


class NotAllowedError(AssertionError):
    """The target would not run an artifact, or the gate cannot tell."""


_SHARED = pytest.StashKey[Path]()
"""The result that the controller of pytest-xdist wrote for its workers."""


def _settings(config: pytest.Config) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if policies := config.getini("csv_gate_policies"):
        settings["policies"] = policies
    if found := config.getini("csv_gate_config"):
        settings["config"] = found[0]
    if targets := config.getini("csv_gate_target"):
        settings["targets"] = targets
    if mode := config.getini("csv_gate_mode"):
        settings["mode"] = mode
    return settings


def _judgement(config: pytest.Config) -> Judgement:
    from csv_gate.testing import judge, read_judgement

    handed = getattr(config, "workerinput", {}).get(_HANDED)
    if handed is not None and Path(handed).is_file():  # a worker on another machine has no such file and judges itself
        return read_judgement(Path(handed))
    return judge(config.option.csv_gate, **_settings(config))


def _result_for_workers(config: pytest.Config) -> Path | None:
    """Judge once, in the controller. A run that cannot be judged is left to the workers, which tell why."""
    if _SHARED not in config.stash:
        import tempfile

        from csv_gate.errors import GateError
        from csv_gate.testing import judge, write_judgement

        try:
            judged = judge(config.option.csv_gate, **_settings(config))
        except GateError:
            return None
        path = Path(tempfile.mkdtemp(prefix="csv-gate-")) / "result.json"
        write_judgement(judged, path)
        config.stash[_SHARED] = path
    return config.stash[_SHARED]


def _name(case: Case) -> str:
    """The same in every process and run. The path is untrusted: what could speak to a terminal is escaped."""
    from csv_gate.report.escape import terminal

    if case.artifact is None:
        return "the run as a whole"
    path = terminal(case.artifact.artifact.path, 8_192)
    return f"{path}[{terminal(case.verdict.target)}]" if case.verdict else path


def _properties(case: Case) -> Iterator[tuple[str, object]]:
    """What a JUnit report says of an item."""
    from csv_gate.report.escape import terminal

    if case.artifact is None:
        return
    digests = case.artifact.artifact.facts.digests
    if digests is not None:
        yield "csv_gate.sha256", digests.sha256
    if case.verdict is not None:
        yield "csv_gate.target", terminal(case.verdict.target)
        yield "csv_gate.decision", case.verdict.decision.value
        if case.verdict.checks:
            yield "csv_gate.checks", " ".join(case.verdict.checks)
    if case.artifact.owner is not None:
        yield "csv_gate.owner", terminal(case.artifact.owner.name)


def _told(error: Exception) -> str:
    import io

    from csv_gate.cli.console import Console
    from csv_gate.errors import GateError

    err = io.StringIO()
    assert isinstance(error, GateError)
    Console(out=io.StringIO(), err=err, environment={}).tell_error(error)
    return err.getvalue().rstrip()
