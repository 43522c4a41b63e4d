"""What a result does not say about the run that made it: project, branch, address, and whether it is a pull request.

CI systems say it in environment variables. Their names: GitHub "Variables reference", Azure Pipelines "Use predefined variables", GitLab
"Predefined CI/CD variables reference", Jenkins "Using environment variables" and the Branch API plugin. Branch names are chosen by
whoever opens a pull request: untrusted, and only compared, hashed and shown.
"""

from __future__ import annotations

from collections.abc import Mapping

from csv_gate.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known of a run beside its result."""

    project: str
    branch: str | None = None
    run_url: str | None = None
    is_pull_request: bool = False


def told_by_ci(environment: Mapping[str, str]) -> Circumstances:
    """What the variables of the CI system say. An empty `project`: they say nothing of it."""
    if environment.get("GITHUB_ACTIONS") == "true":
        return _github(environment)
    if environment.get("TF_BUILD"):
        return _azure(environment)
    if environment.get("GITLAB_CI"):
        return _gitlab(environment)
    if environment.get("JENKINS_URL"):
        return _jenkins(environment)
    return Circumstances(project="", run_url=run_url(environment))


def run_url(environment: Mapping[str, str]) -> str | None:
    """The address of this CI run."""
    if environment.get("GITHUB_ACTIONS") == "true":
        parts = [environment.get(name) for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
        return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}" if all(parts) else None
    if environment.get("TF_BUILD"):
        parts = [environment.get(name) for name in ("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_BUILDID")]
        return f"{str(parts[0]).rstrip('/')}/{parts[1]}/_build/results?buildId={parts[2]}" if all(parts) else None
    return environment.get("CI_JOB_URL") or environment.get("BUILD_URL") or None


def _github(environment: Mapping[str, str]) -> Circumstances:
    is_pull_request = environment.get("GITHUB_EVENT_NAME", "").startswith("pull_request")
    name = environment.get("GITHUB_REF_NAME") if environment.get("GITHUB_REF_TYPE") == "branch" else None
    return Circumstances(
        project=environment.get("GITHUB_REPOSITORY", ""),
        branch=(environment.get("GITHUB_HEAD_REF") if is_pull_request else name) or None,
        run_url=run_url(environment),
        is_pull_request=is_pull_request,
    )


def _azure(environment: Mapping[str, str]) -> Circumstances:
    is_pull_request = environment.get("BUILD_REASON") == "PullRequest" or bool(
        environment.get("SYSTEM_PULLREQUEST_PULLREQUESTID")
    )
    ref = environment.get("SYSTEM_PULLREQUEST_SOURCEBRANCH" if is_pull_request else "BUILD_SOURCEBRANCH", "")
    names = (environment.get("SYSTEM_TEAMPROJECT"), environment.get("BUILD_REPOSITORY_NAME"))
    return Circumstances(
        project="/".join(name for name in names if name),
        branch=_head(ref),
        run_url=run_url(environment),
        is_pull_request=is_pull_request,
    )


def _gitlab(environment: Mapping[str, str]) -> Circumstances:
    is_pull_request = bool(environment.get("CI_MERGE_REQUEST_IID"))
    name = environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME" if is_pull_request else "CI_COMMIT_BRANCH")
    return Circumstances(
        project=environment.get("CI_PROJECT_PATH", ""),
        branch=name or None,
        run_url=run_url(environment),
        is_pull_request=is_pull_request,
    )


def _jenkins(environment: Mapping[str, str]) -> Circumstances:
    is_pull_request = bool(environment.get("CHANGE_ID"))
    job = environment.get("JOB_NAME", "")
    multibranch = environment.get("BRANCH_NAME")
    # A multibranch job is called after its project, then its branch or pull request.
    project = job.rpartition("/")[0] if multibranch and "/" in job else job
    # The git plugin names the remote too.
    single = environment.get("GIT_BRANCH", "").removeprefix("origin/")
    return Circumstances(
        project=project,
        branch=(environment.get("CHANGE_BRANCH") if is_pull_request else multibranch or single) or None,
        run_url=run_url(environment),
        is_pull_request=is_pull_request,
    )


def _head(ref: str) -> str | None:
    """The branch of `refs/heads/…`; `None` for a tag or another ref."""
    return ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else None
