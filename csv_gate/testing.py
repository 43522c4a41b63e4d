"""The gate inside a test suite: judge files from Python, and assert that a target would run them.

    from csv_gate.testing import assert_allowed

    def test_the_agent_runs_in_production():
        assert_allowed("build/agent.exe", policy="policies/prod.xml")

What a call does not say comes from `csv-gate.yaml` and the environment, as on the command line, with the same meaning: every
argument here is an option of `csv-gate check`. Nothing heavy is imported before the first call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from csv_gate.errors import ExitCode
from csv_gate.records import dataclass, replace

if TYPE_CHECKING:
    from csv_gate.gate import Plan
    from csv_gate.model.result import ArtifactResult, Finding, RunResult
    from csv_gate.model.result_read import SavedResult
    from csv_gate.model.verdict import Level, Verdict

PathLike = str | Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What came of judging some files."""

    result: SavedResult
    fail_on: Level | None
    """Findings of this level and graver fail; `None`: none does."""

    @property
    def exit_code(self) -> ExitCode:
        """What `csv-gate check` would end with."""
        return self.result.summary.exit_code

    @property
    def is_allowed(self) -> bool:
        """Whether every target runs every file: each verdict is `allowed`, or was waived by a person, and nothing else fails.

        A file that no policy governs is not `allowed`: that the target runs it was not said by any policy. What only a requirement of the
        configuration is about (a package, a catalog) has to meet it, and no more.
        """
        return self.exit_code is ExitCode.OK and all(
            artifact.verdicts
            and all(_is_allowed(verdict, is_waived=artifact.waiver is not None) for verdict in artifact.verdicts)
            for artifact in self.result.artifacts
            if not _is_for_no_target(self.result, artifact)
        )

    @property
    def cases(self) -> tuple[Case, ...]:
        """One for each artifact and target, sorted, then one for the run as a whole."""
        return tuple(_cases(self.result, self.fail_on))

    @property
    def text(self) -> str:
        """The diagnostic that `csv-gate check` prints."""
        return _text(self.result, verbosity=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One artifact on one target, or, without an artifact, what was found of the run as a whole."""

    view: SavedResult
    """A result that holds nothing else."""
    fails: bool

    @property
    def artifact(self) -> ArtifactResult | None:
        return next(iter(self.view.artifacts), None)

    @property
    def verdict(self) -> Verdict | None:
        return next(iter(self.artifact.verdicts), None) if self.artifact else None

    @property
    def text(self) -> str:
        return _text(self.view, verbosity=0)


def judge(
    paths: Sequence[PathLike],
    *,
    policies: Iterable[PathLike] = (),
    config: PathLike | None = None,
    targets: Iterable[str] = (),
    mode: str | None = None,
    jobs: int | None = None,
) -> Judgement:
    """Judge files and folders.

    Raises:
        GateError: nothing to judge, or wrong settings or policies.
    """
    from csv_gate.gate import run
    from csv_gate.model.result_read import SavedResult

    plan = _plan(paths, policies=policies, config=config, targets=targets, mode=mode, jobs=jobs)
    with run(plan) as result:
        return Judgement(
            result=SavedResult(
                run=result.run,
                targets=result.targets,
                artifacts=tuple(result.artifacts),
                findings=result.findings,
                summary=result.summary,
            ),
            fail_on=plan.fail_on,
        )


def write_judgement(judged: Judgement, path: Path) -> None:
    """Keep a judgement for another process."""
    from csv_gate.report import ReportOptions, render

    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.write(f"{judged.fail_on.value if judged.fail_on else 'never'}\n")
        render("json", judged.result, out, ReportOptions())


def read_judgement(path: Path) -> Judgement:
    """Read what `write_judgement` wrote."""
    from csv_gate.model.result_read import read_result
    from csv_gate.model.verdict import Level

    fail_on, _, written = path.read_text("utf-8").partition("\n")
    return Judgement(result=read_result(written, path=str(path)), fail_on=None if fail_on == "never" else Level(fail_on))


def assert_allowed(
    *paths: PathLike,
    policy: PathLike | Iterable[PathLike] = (),
    config: PathLike | None = None,
    target: str | Iterable[str] = (),
    mode: str | None = None,
) -> None:
    """Fail the test with the gate's diagnostic, unless every target allows every file.

    Raises:
        AssertionError: something is denied (in audit mode too), undecided or not governed, and not waived; or the run as a whole fails.
        GateError: nothing to judge, or wrong settings or policies.
    """
    __tracebackhide__ = True
    judged = judge(paths, policies=_each(policy), config=config, targets=_each(target), mode=mode)
    if not judged.is_allowed:
        raise AssertionError(refusal(judged))


def refusal(judged: Judgement) -> str:
    """Why a judgement is not `allowed`, for people."""
    from csv_gate.report.escape import terminal

    ungoverned = []
    for artifact in judged.result.artifacts:
        path = terminal(artifact.artifact.path)
        if not artifact.verdicts and not _is_for_no_target(judged.result, artifact):
            ungoverned.append(f"{path}: no target gets it")
        ungoverned += [
            f"{path}: no policy of {terminal(verdict.target)} governs it: {terminal(verdict.because)}"
            for verdict in artifact.verdicts
            if verdict.decision.value == "not_applicable"
        ]
    return "\n".join(["the target would not allow it", *ungoverned, "", judged.text]).rstrip()


def _is_allowed(verdict: Verdict, *, is_waived: bool) -> bool:
    from csv_gate.model.verdict import Decision

    if verdict.decision is Decision.ALLOWED:
        return True
    # A waiver excuses what fails a build; that an audit policy denies a file, or that none governs it, is not such a thing.
    return is_waived and not verdict.audited and verdict.decision in (Decision.DENIED, Decision.UNDECIDED)


def _is_for_no_target(result: SavedResult, artifact: ArtifactResult) -> bool:
    """Whether it was looked at for a requirement alone: there are targets, and none of them judges files of its format."""
    from csv_gate.gate.engines import JUDGED_FORMATS

    facts = artifact.artifact.facts
    engines = [JUDGED_FORMATS.get(target.engine) for target in result.targets]
    is_known = bool(engines) and facts.gap() is None and None not in engines
    return not artifact.verdicts and is_known and not any(facts.format in formats for formats in engines if formats)


def _each(value: PathLike | Iterable[PathLike]) -> list[str]:
    return [str(value)] if isinstance(value, str | Path) else [str(one) for one in value]


def _plan(
    paths: Sequence[PathLike],
    *,
    policies: Iterable[PathLike],
    config: PathLike | None,
    targets: Iterable[str],
    mode: str | None,
    jobs: int | None,
) -> Plan:
    """The plan that the command line would make of these."""
    import io
    import os

    from csv_gate.cli import check
    from csv_gate.cli.console import Console
    from csv_gate.cli.parser import parser_for
    from csv_gate.cli.selection import select

    console = Console(out=io.StringIO(), err=io.StringIO(), environment=os.environ)
    parser = parser_for("check", "judge files", console)
    check.add_arguments(parser)
    options = [f"--policy={path}" for path in policies] + [f"--target={name}" for name in targets]
    options += [f"--config={config}"] if config is not None else []
    options += [f"--mode={mode}"] if mode is not None else []
    options += [f"--jobs={jobs}"] if jobs is not None else []
    args = parser.parse_args([*options, "--", *map(str, paths)])
    return select(args, console, tuple(map(str, paths))).plan


def _cases(result: SavedResult, fail_on: Level | None) -> Iterator[Case]:
    from csv_gate.gate.tally import count

    for artifact in result.artifacts:
        names = {verdict.target for verdict in artifact.verdicts}
        # What was found of the file itself belongs to each of its targets.
        shared = [finding for finding in artifact.findings if finding.target not in names]
        if not artifact.verdicts:
            counted = count(artifact, fail_on)
            yield Case(view=_view(result, artifact), fails=counted.fails or counted.is_open)
        for verdict in sorted(artifact.verdicts, key=lambda one: one.target):
            own = [finding for finding in artifact.findings if finding.target == verdict.target]
            part = replace(artifact, verdicts=(verdict,), findings=tuple(own + shared))
            counted = count(part, fail_on)
            yield Case(view=_view(result, part), fails=counted.fails or counted.is_open)
    yield Case(view=_view(result, None), fails=_reached(result.findings, fail_on))


def _view(result: SavedResult, artifact: ArtifactResult | None) -> SavedResult:

    return replace(
        result, artifacts=() if artifact is None else (artifact,), findings=result.findings if artifact is None else ()
    )


def _reached(findings: Iterable[Finding], fail_on: Level | None) -> bool:
    return fail_on is not None and any(finding.level.rank >= fail_on.rank for finding in findings)


def _text(result: RunResult, *, verbosity: int) -> str:
    import io

    from csv_gate.report import ReportOptions, render

    out = io.StringIO()
    render("text", result, out, ReportOptions(closing=False, verbosity=verbosity))
    return out.getvalue().rstrip()
