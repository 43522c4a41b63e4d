"""What CI systems tell of a run, by their documented variables."""

from __future__ import annotations

import pytest

from csv_gate.notify.circumstances import Circumstances, told_by_ci

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "contoso/agent",
    "GITHUB_REF_NAME": "main",
    "GITHUB_REF_TYPE": "branch",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_RUN_ID": "7",
}
AZURE = {
    "TF_BUILD": "True",
    "SYSTEM_TEAMPROJECT": "Agent",
    "BUILD_REPOSITORY_NAME": "contoso/agent",
    "BUILD_SOURCEBRANCH": "refs/heads/release/2",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.example/contoso/",
    "BUILD_BUILDID": "42",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_PATH": "contoso/agent",
    "CI_COMMIT_BRANCH": "main",
    "CI_JOB_URL": "https://gitlab.example/j/3",
}
JENKINS = {
    "JENKINS_URL": "https://jenkins.example/",
    "JOB_NAME": "contoso/agent/main",
    "BRANCH_NAME": "main",
    "BUILD_URL": "https://jenkins.example/job/9/",
}


@pytest.mark.parametrize(
    ("environment", "project", "branch", "run_url"),
    [
        (GITHUB, "contoso/agent", "main", "https://github.example/contoso/agent/actions/runs/7"),
        (
            AZURE,
            "Agent/contoso/agent",
            "release/2",
            "https://dev.azure.example/contoso/Agent/_build/results?buildId=42",
        ),
        (GITLAB, "contoso/agent", "main", "https://gitlab.example/j/3"),
        (JENKINS, "contoso/agent", "main", "https://jenkins.example/job/9/"),
    ],
    ids=["github", "azure", "gitlab", "jenkins"],
)
def test_a_branch_build_says_project_branch_and_address(
    environment: dict[str, str], project: str, branch: str, run_url: str
) -> None:
    assert told_by_ci(environment) == Circumstances(project=project, branch=branch, run_url=run_url, is_pull_request=False)


@pytest.mark.parametrize(
    "environment",
    [
        {**GITHUB, "GITHUB_EVENT_NAME": "pull_request", "GITHUB_HEAD_REF": "topic"},
        {**GITHUB, "GITHUB_EVENT_NAME": "pull_request_target", "GITHUB_HEAD_REF": "topic"},
        {**AZURE, "BUILD_REASON": "PullRequest", "SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/topic"},
        {**GITLAB, "CI_MERGE_REQUEST_IID": "5", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "topic"},
        {**JENKINS, "CHANGE_ID": "5", "CHANGE_BRANCH": "topic", "BRANCH_NAME": "PR-5"},
    ],
    ids=["github", "github-target", "azure", "gitlab", "jenkins"],
)
def test_a_pull_request_is_known_as_one_with_the_branch_it_comes_from(environment: dict[str, str]) -> None:
    told = told_by_ci(environment)
    assert (told.is_pull_request, told.branch) == (True, "topic")


def test_a_tag_is_no_branch() -> None:
    assert told_by_ci({**GITHUB, "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1"}).branch is None
    assert told_by_ci({**AZURE, "BUILD_SOURCEBRANCH": "refs/tags/v1"}).branch is None


def test_jenkins_names_the_branch_of_a_plain_job_without_its_remote() -> None:
    told = told_by_ci({"JENKINS_URL": "x", "JOB_NAME": "agent", "GIT_BRANCH": "origin/main"})
    assert (told.project, told.branch) == ("agent", "main")


def test_without_a_ci_system_nothing_is_known() -> None:
    assert told_by_ci({}) == Circumstances(project="")
